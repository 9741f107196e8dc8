package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
	"rollcall/internal/natsconn"
	"rollcall/wire"
)

// markerTTL is how long the marker of an expired key stays in the bucket.
const markerTTL = time.Second

// Heartbeat says that the worker lives; it is forgotten when no other follows
// within ttl, in whole seconds, rounded up. info is shown to the others.
func (s *JetStream) Heartbeat(ctx context.Context, id string, info []byte, ttl time.Duration) error {
	err := s.putMember(ctx, id, info, nats.Header{jetstream.MsgTTLHeader: {wholeSeconds(ttl).String()}})
	if err != nil {
		return fmt.Errorf("register worker %s: %w", id, err)
	}
	return nil
}

// Leave takes the worker off the members at once.
func (s *JetStream) Leave(ctx context.Context, id string) error {
	err := s.putMember(ctx, id, nil, nats.Header{
		"KV-Operation": {"PURGE"}, "Nats-Rollup": {"sub"}, jetstream.MsgTTLHeader: {markerTTL.String()},
	})
	if err != nil {
		return fmt.Errorf("unregister worker %s: %w", id, err)
	}
	return nil
}

// putMember writes the bucket's stream itself, since the client's Update and
// Put cannot set a TTL.
func (s *JetStream) putMember(ctx context.Context, id string, info []byte, header nats.Header) error {
	_, err := s.js.PublishMsg(ctx, &nats.Msg{
		Subject: natsconn.KeySubject(s.js, memberPrefix(s.names)+memberKey(id)), Header: header, Data: info,
	}, jetstream.WithRetryAttempts(0))
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("%w: bucket %s: %w", ledger.ErrGone, s.names.Workers(), err)
	}
	return err
}

// Members reads the workers that live, sorted by id.
func (s *JetStream) Members(ctx context.Context) ([]ledger.Member, error) {
	bucket, prefix := s.names.Workers(), memberPrefix(s.names)
	found := make(map[string]got)
	whole, err := s.read.getOnce(ctx, "KV_"+bucket, []string{prefix + ">"}, found)
	if err == nil && !whole {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read the workers in bucket %s: %w", bucket, err)
	}
	members := make([]ledger.Member, 0, len(found))
	newest := newestOf(found)
	for _, m := range found {
		id, ok := memberID(strings.TrimPrefix(m.subject, prefix))
		if ok && !m.outlived(newest) && m.header.Get("KV-Operation") == "" && m.header.Get("Nats-Marker-Reason") == "" {
			members = append(members, ledger.Member{ID: id, Info: m.data})
		}
	}
	slices.SortFunc(members, func(a, b ledger.Member) int { return cmp.Compare(a.ID, b.ID) })
	return members, nil
}

// newestOf is when the newest of the messages was stored, by the server's clock.
func newestOf(found map[string]got) (newest time.Time) {
	for _, m := range found {
		if at := m.storedAt(); at.After(newest) {
			newest = at
		}
	}
	return newest
}

func (m *got) storedAt() time.Time {
	at, err := time.Parse(time.RFC3339Nano, m.header.Get("Nats-Time-Stamp"))
	if err != nil {
		return time.Time{}
	}
	return at
}

// outlived reports whether a message stored at now came after this one's TTL. A
// server that was killed may bring messages back that had expired.
func (m *got) outlived(now time.Time) bool {
	ttl, err := time.ParseDuration(m.header.Get(jetstream.MsgTTLHeader))
	return err == nil && now.Sub(m.storedAt()) > ttl
}

func memberPrefix(n wire.Names) string { return "$KV." + n.Workers() + "." }

// memberKey is the key of a worker: its id as a token, with the sign of
// escape that keys allow.
func memberKey(id string) string { return strings.ReplaceAll(wire.Token(id), "%", "=") }

func memberID(key string) (string, bool) { return wire.Value(strings.ReplaceAll(key, "=", "%")) }

func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}
