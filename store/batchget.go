package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/wait"
	"rollcall/wire"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The limits of one direct batch get. The server answers at most 1,024
// subjects; the bytes keep a request under any max_payload and an answer
// under what a connection may have pending.
const (
	maxGetSubjects = 1024
	maxGetRequest  = 256 << 10
	maxGetAnswer   = 16 << 20
)

// got is a message that was read.
type got struct {
	subject  string
	sequence uint64
	header   nats.Header
	data     []byte
}

type getRequest struct {
	MultiLast []string `json:"multi_last,omitempty"`
	Seq       uint64   `json:"seq,omitempty"`
	NextFor   string   `json:"next_by_subj,omitempty"`
	Batch     int      `json:"batch,omitempty"`
	MaxBytes  int      `json:"max_bytes"`
}

// none is what the server says where nothing is stored that was asked for. In the
// place of messages of a multi-get it says the other text, too: one of them is
// stored and cannot be loaded.
func (r *getRequest) none() string {
	if len(r.MultiLast) > 0 {
		return "No Results"
	}
	return "Message Not Found"
}

// What an answer may say instead of what was asked for.
var (
	errTooMany = errors.New("more subjects match than the server answers")
	// errBehind says that a replica has not heard yet of what this ledger has stored.
	errBehind = errors.New("the replica that answers lags behind")
)

// reader reads messages. What it returns includes all that is known to be stored.
type reader struct {
	js    jetstream.JetStream
	names wire.Names
	turns chan struct{} // holds one token for each reading of many messages
	seen  seen
}

// getLast reads the last message of each subject of a stream, in as few
// requests as the limits allow. Subjects without a message are not in the answer.
func (r *reader) getLast(ctx context.Context, stream string, subjects []string) (map[string]got, error) {
	found := make(map[string]got, len(subjects))
	for len(subjects) > 0 {
		n := fitting(subjects)
		if err := r.getChunk(ctx, stream, subjects[:n], found); err != nil {
			return nil, err
		}
		subjects = subjects[n:]
	}
	return found, nil
}

// fitting is how many of the subjects one request may name, and one more that
// shows how much the replica has heard of.
func fitting(subjects []string) int {
	size := 0
	for i, subject := range subjects {
		size += len(subject) + len(`"",`)
		if i == maxGetSubjects-1 || i > 0 && size > maxGetRequest {
			return i
		}
	}
	return len(subjects)
}

// getChunk asks until every subject was answered for: the server ends an answer
// early when it has grown too large. Asking for the rest anew, instead of for a
// continuation, sees records that were replaced meanwhile.
func (r *reader) getChunk(ctx context.Context, stream string, subjects []string, found map[string]got) error {
	for len(subjects) > 0 {
		before := len(found)
		whole, err := r.getSure(ctx, stream, subjects, found)
		if err != nil {
			return fmt.Errorf("read %d subjects of stream %s: %w", len(subjects), stream, err)
		}
		if whole {
			return nil
		}
		if len(found) == before {
			return fmt.Errorf("read %d subjects of stream %s: the server answers for none of them", len(subjects), stream)
		}
		subjects = missing(subjects, found)
	}
	return nil
}

func missing(subjects []string, found map[string]got) []string {
	var rest []string
	for _, subject := range subjects {
		if _, ok := found[subject]; !ok {
			rest = append(rest, subject)
		}
	}
	return rest
}

// getSure is getOnce for an answer that includes what was seen to be stored.
// Without a message no answer shows what its replica has heard of: the one that
// was seen is asked for as well.
func (r *reader) getSure(ctx context.Context, stream string, subjects []string, found map[string]got) (whole bool, err error) {
	anchor, least := r.seen.anchor()
	if least == 0 || stream != r.names.Stream {
		return r.getOnce(ctx, stream, subjects, found)
	}
	asked := slices.Contains(subjects, anchor)
	if !asked {
		subjects = append(slices.Clip(subjects), anchor)
	}
	err = r.caughtUp(ctx, func() error {
		fresh := make(map[string]got, len(subjects))
		answer, err := r.get(ctx, stream, getRequest{MultiLast: subjects, MaxBytes: maxGetAnswer}, keepIn(fresh))
		if err == nil && answer.upTo < least {
			err = fmt.Errorf("%w: it has come to sequence %d, and %d is stored", errBehind, answer.upTo, least)
		}
		if err != nil {
			return err
		}
		if !asked {
			delete(fresh, anchor)
		}
		maps.Copy(found, fresh)
		whole = answer.whole
		return nil
	})
	return whole, err
}

// asksAgain is how often a replica that lags is asked again: another one may
// answer, and it may catch up.
const asksAgain = 20

// caughtUp reads until the answer does not lag, for a second or two.
func (r *reader) caughtUp(ctx context.Context, read func() error) error {
	for tries := 1; ; tries++ {
		err := read()
		if !errors.Is(err, errBehind) || tries == asksAgain {
			return err
		}
		if !wait.For(ctx, time.Duration(tries)*10*time.Millisecond) {
			return err
		}
	}
}

func keepIn(found map[string]got) func(got) { return func(m got) { found[m.subject] = m } }

// getOnce sends one request and reads its answer; whole says that nothing was
// left out for its size.
func (r *reader) getOnce(ctx context.Context, stream string, subjects []string, found map[string]got) (whole bool, err error) {
	answer, err := r.get(ctx, stream, getRequest{MultiLast: subjects, MaxBytes: maxGetAnswer}, keepIn(found))
	return answer.whole, err
}

// ending is the end of what a request was answered with.
type ending struct {
	whole bool   // nothing was left out for its size
	upTo  uint64 // the last sequence that the replica had heard of; 0: it does not say
}

func (r *reader) get(ctx context.Context, stream string, request getRequest, take func(got)) (ending, error) {
	data, err := json.Marshal(request)
	if err != nil {
		return ending{}, err
	}
	ctx, cancel := within(ctx)
	defer cancel()
	conn := r.js.Conn()
	inbox, answers := conn.NewInbox(), make(chan *nats.Msg)
	// The queue of a synchronous subscription takes kilobytes, most of which a small read leaves unused.
	sub, err := conn.Subscribe(inbox, func(m *nats.Msg) {
		select {
		case answers <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return ending{}, err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only when the connection is gone, and the subscription with it
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return ending{}, err
	}
	if err := conn.PublishRequest(r.api("DIRECT.GET."+stream), inbox, data); err != nil {
		return ending{}, err
	}
	return readAnswers(ctx, answers, request.none(), take)
}

// api is the subject of a request to JetStream, as STREAM.INFO.MEETINGS, which
// may have a domain or be imported under a prefix.
func (r *reader) api(request string) string {
	return strings.TrimSuffix(cmp.Or(r.js.Options().APIPrefix, "$JS.API"), ".") + "." + request
}

// readAnswers reads until the end of a batch, or none, which says that there is
// nothing. Each answer names the sequence of the one before it, so that a lost
// one is noticed.
func readAnswers(ctx context.Context, answers <-chan *nats.Msg, none string, take func(got)) (ending, error) {
	last := "0"
	for {
		m, err := next(ctx, answers)
		if err != nil {
			return ending{}, err
		}
		status := m.Header.Get("Status")
		if status == "404" && last == "0" && m.Header.Get("Description") == none {
			return ending{whole: true}, nil
		}
		if status != "" && status != "204" {
			return ending{}, refusal(m)
		}
		if m.Header.Get("Nats-Last-Sequence") != last {
			return ending{}, errors.New("an answer was lost on the way")
		}
		if status == "204" {
			upTo, _ := strconv.ParseUint(m.Header.Get("Nats-UpTo-Sequence"), 10, 64) // absent where a batch is read on
			return ending{m.Header.Get("Nats-Num-Pending") == "0", upTo}, nil
		}
		last = m.Header.Get("Nats-Sequence")
		sequence, err := strconv.ParseUint(last, 10, 64)
		if err != nil {
			return ending{}, fmt.Errorf("read the sequence of an answer: %w", err)
		}
		take(got{m.Header.Get("Nats-Subject"), sequence, m.Header, m.Data})
	}
}

func next(ctx context.Context, answers <-chan *nats.Msg) (*nats.Msg, error) {
	select {
	case m := <-answers:
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func refusal(m *nats.Msg) error {
	switch m.Header.Get("Status") {
	case "503":
		return nats.ErrNoResponders
	case "413":
		return fmt.Errorf("%w: the server answers 413 %s", errTooMany, m.Header.Get("Description"))
	}
	return fmt.Errorf("the server answers %s %s", m.Header.Get("Status"), m.Header.Get("Description"))
}
