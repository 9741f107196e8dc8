package embedded

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// NATS leaves what was deleted, and each record that another one replaced, where it
// stood in its files, until at least half of a file is of that kind. Scrub is for those
// who do not want to wait: it overwrites these messages in place, as NATS overwrites
// what is erased securely, of the same length and with the right checksum.

// mostPasses bounds how often the files are looked through: NATS writes on meanwhile.
const mostPasses = 5

// Scrub overwrites, in the files of the ledger's streams, all messages that are no
// longer stored, and returns how many these were.
func (s *Server) Scrub(ctx context.Context) (overwritten int, err error) {
	s.scrubbing.Lock()
	defer s.scrubbing.Unlock()
	for range mostPasses {
		n, err := s.scrubOnce(ctx)
		overwritten += n
		if err != nil {
			return overwritten, fmt.Errorf("overwrite what NATS has deleted: %w", err)
		}
		if n == 0 {
			return overwritten, nil
		}
	}
	return overwritten, nil // what is left has been replaced since
}

func (s *Server) scrubOnce(ctx context.Context) (overwritten int, err error) {
	streams, err := s.streams()
	if err != nil {
		return 0, err
	}
	for _, stream := range streams {
		n, err := stream.scrub(ctx, s.redo())
		overwritten += n
		if err != nil {
			return overwritten, err
		}
	}
	return overwritten, nil
}

// redo is the file that says what is being overwritten.
func (s *Server) redo() string { return filepath.Join(s.dir, "scrub.redo") }

// storedStream is a stream as far as its files are concerned.
type storedStream struct {
	name  string
	first uint64    // sequence of the first message that is stored
	since time.Time // what ages and is older is stored no more
	dir   string    // of the files with the messages
	// replaced reports whether a message of the subject is no longer stored once
	// there is another one.
	replaced func(subject string) bool
}

// streams are those of the ledger: the stream, and the buckets.
func (s *Server) streams() (all []storedStream, err error) {
	info, err := s.running.Jsz(&server.JSzOptions{Account: server.DEFAULT_GLOBAL_ACCOUNT, Streams: true, Config: true, Limit: 1000})
	if err != nil {
		return nil, err
	}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			found := storedStream{
				name: stream.Name, first: stream.State.FirstSeq,
				dir: filepath.Join(s.dir, "jetstream", account.Name, "streams", stream.Name, "msgs"),
			}
			if age := stream.Config.MaxAge; age > 0 {
				found.since = time.Now().Add(-age - time.Minute) // NATS may take a little longer
			}
			switch {
			case stream.Name == s.names.Stream:
				found.replaced = s.rolledUp
			case strings.HasPrefix(stream.Name, "KV_"+s.names.Stream+"_"):
				found.replaced = func(string) bool { return true }
			default:
				continue
			}
			all = append(all, found)
		}
	}
	return all, nil
}

// rolledUp reports whether each message of a subject replaces the one before.
func (s *Server) rolledUp(subject string) bool {
	word, _, _ := strings.Cut(strings.TrimPrefix(subject, s.names.Prefix+"."), ".")
	return slices.Contains([]string{"state", "tracked", "status"}, word)
}

// scrub overwrites what is no longer stored. What replaces a message is on the disk
// before the message is overwritten.
func (s *storedStream) scrub(ctx context.Context, redo string) (overwritten int, err error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.blk"))
	if err != nil {
		return 0, err
	}
	last := map[string]uint64{} // by subject
	for _, file := range files {
		if err := syncFile(file); err != nil {
			return 0, err
		}
		err := eachRecord(ctx, s.name, file, func(r record) {
			if r.live() && s.replaced(r.subject) {
				last[r.subject] = max(last[r.subject], r.sequence)
			}
		})
		if err != nil {
			return 0, err
		}
	}
	for _, file := range files {
		var dead []record
		err := eachRecord(ctx, s.name, file, func(r record) {
			if r.live() && (r.sequence < s.first || r.sequence < last[r.subject] || r.ages && r.written.Before(s.since)) {
				dead = append(dead, r)
			}
		})
		if err == nil && len(dead) > 0 {
			err = overwrite(redo, s.name, file, dead)
		}
		if err != nil {
			return overwritten, err
		}
		overwritten += len(dead)
	}
	return overwritten, nil
}
