package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
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
	MultiLast []string `json:"multi_last"`
	MaxBytes  int      `json:"max_bytes"`
}

// getLast reads the last message of each subject of a stream, in as few
// requests as the limits allow. Subjects without a message are not in the answer.
func (s *JetStream) getLast(ctx context.Context, stream string, subjects []string) (map[string]got, error) {
	found := make(map[string]got, len(subjects))
	for len(subjects) > 0 {
		n := fitting(subjects)
		if err := s.getChunk(ctx, stream, subjects[:n], found); err != nil {
			return nil, err
		}
		subjects = subjects[n:]
	}
	return found, nil
}

// fitting is how many of the subjects one request may name.
func fitting(subjects []string) int {
	size := 0
	for i, subject := range subjects {
		size += len(subject) + len(`"",`)
		if i == maxGetSubjects || i > 0 && size > maxGetRequest {
			return i
		}
	}
	return len(subjects)
}

// getChunk asks until every subject was answered for: the server ends an answer
// early when it has grown too large. Asking for the rest anew, instead of for a
// continuation, sees records that were replaced meanwhile.
func (s *JetStream) getChunk(ctx context.Context, stream string, subjects []string, found map[string]got) error {
	for len(subjects) > 0 {
		before := len(found)
		whole, err := s.getOnce(ctx, stream, subjects, found)
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

// getOnce sends one request and reads its answer; whole says that nothing was
// left out for its size.
func (s *JetStream) getOnce(ctx context.Context, stream string, subjects []string, found map[string]got) (whole bool, err error) {
	request, err := json.Marshal(getRequest{subjects, maxGetAnswer})
	if err != nil {
		return false, err
	}
	ctx, cancel := within(ctx)
	defer cancel()
	conn := s.js.Conn()
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return false, err
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only when the connection is gone, and the subscription with it
	if err := answers.SetPendingLimits(-1, -1); err != nil {
		return false, err
	}
	if err := conn.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
		return false, err
	}
	return readAnswers(ctx, answers, found)
}

// readAnswers reads until the end of a batch. Each answer names the sequence
// of the one before it, so that a lost one is noticed.
func readAnswers(ctx context.Context, answers *nats.Subscription, found map[string]got) (whole bool, err error) {
	last := "0"
	for {
		m, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return false, err
		}
		status := m.Header.Get("Status")
		if status == "404" && last == "0" {
			return true, nil // no subject has a message
		}
		if status != "" && status != "204" {
			return false, refusal(m)
		}
		if m.Header.Get("Nats-Last-Sequence") != last {
			return false, errors.New("an answer was lost on the way")
		}
		if status == "204" {
			return m.Header.Get("Nats-Num-Pending") == "0", nil
		}
		last = m.Header.Get("Nats-Sequence")
		sequence, err := strconv.ParseUint(last, 10, 64)
		if err != nil {
			return false, fmt.Errorf("read the sequence of an answer: %w", err)
		}
		subject := m.Header.Get("Nats-Subject")
		found[subject] = got{subject, sequence, m.Header, m.Data}
	}
}

func refusal(m *nats.Msg) error {
	if m.Header.Get("Status") == "503" {
		return nats.ErrNoResponders
	}
	return fmt.Errorf("the server answers %s %s", m.Header.Get("Status"), m.Header.Get("Description"))
}
