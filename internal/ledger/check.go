package ledger

import (
	"fmt"
	"strings"
	"time"

	"rollcall/wire"
)

// allowance is more than a batch adds to a message: what the subject to publish
// to is longer than the stored one beside the stream's name, and the headers
// with the batch's id, its sequence and commit, the guard, the roll-up, the TTL and
// the trace.
const (
	subjectAllowance = len("rollcall.") + len(".commit.")
	headerAllowance  = 330
)

// HeaderSize is an upper bound, in bytes, of the headers of m in a batch.
func (m *Message) HeaderSize() int {
	size := headerAllowance + len("Content-Type: \r\n") + len(m.ContentType)
	if m.ExpectOf != "" {
		size += len("Nats-Expected-Last-Subject-Sequence-Subject: \r\n") + len(m.ExpectOf)
	}
	return size
}

// Size is an upper bound, in bytes, of what m takes of [MaxBatchBytes].
func (m *Message) Size(n wire.Names) int {
	return subjectAllowance + len(n.Stream) + len(m.Subject) + m.HeaderSize() + len(m.Data)
}

// CheckBatch refuses what the broker would refuse, or would answer in a way
// that does not say what is wrong. The errors match [ErrRefused] and name the
// message. A maxPayload of 0 or less, in bytes, is not checked.
func CheckBatch(n wire.Names, msgs []Message, maxPayload int64) error {
	if len(msgs) == 0 {
		return refuse("the batch is empty")
	}
	if len(msgs) > MaxBatchMessages {
		return refuse("the batch is too large: %d messages, at most %d are allowed; cut it between meetings", len(msgs), MaxBatchMessages)
	}
	total, last := 0, ""
	for i := range msgs {
		m := &msgs[i]
		if m.Subject != last { // the events of one meeting are often of one type
			if err := checkSubject(n, m.Subject); err != nil {
				return err
			}
			last = m.Subject
		}
		if err := m.check(maxPayload); err != nil {
			return err
		}
		total += m.Size(n)
	}
	if total > MaxBatchBytes {
		return refuse("the batch is too large: %d bytes, at most %d are allowed; cut it between meetings", total, MaxBatchBytes)
	}
	return checkFirst(msgs)
}

// checkFirst refuses a message that is guarded or rolled up where its subject
// was written before in the batch. These are few among the many.
func checkFirst(msgs []Message) error {
	first := make(map[string]int)
	for i := range msgs {
		m := &msgs[i]
		if !m.Guarded && !m.Rollup {
			continue
		}
		if _, twice := first[m.Subject]; twice {
			return refuseTwice(m.Subject)
		}
		first[m.Subject] = i
	}
	last := ""
	for i := range msgs {
		m := &msgs[i]
		if m.Guarded || m.Rollup || m.Subject == last {
			continue
		}
		last = m.Subject
		if at, only := first[m.Subject]; only && i < at {
			return refuseTwice(m.Subject)
		}
	}
	return nil
}

func refuseTwice(subject string) error {
	return refuse("%s is written twice in one batch, and only the first may be guarded or rolled up", subject)
}

func checkSubject(n wire.Names, s string) error {
	below, ok := strings.CutPrefix(s, n.Prefix)
	if !ok || below == "" || below[0] != '.' || !literal(s) {
		return refuse("%.200q is no subject below %s", s, n.Prefix)
	}
	return nil
}

func (m *Message) check(maxPayload int64) error {
	if strings.ContainsAny(m.ContentType, "\r\n") {
		return refuse("%s has a content type of two lines", m.Subject)
	}
	if !validTTL(m.TTL) {
		return refuse("%s has the TTL %.32q; allowed are never, and whole seconds such as 1s", m.Subject, m.TTL)
	}
	if size := int64(m.HeaderSize() + len(m.Data)); maxPayload > 0 && size > maxPayload {
		return refuse("%s is too large: %d bytes with its headers, the server's max_payload is %d", m.Subject, size, maxPayload)
	}
	return nil
}

// literal reports whether s can be published to: tokens without wildcards and
// white space, none of them empty.
func literal(s string) bool {
	separated := true // a token must follow
	for i := range len(s) {
		switch s[i] {
		case '*', '>', ' ', '\t', '\r', '\n', 0:
			return false
		case '.':
			if separated {
				return false
			}
			separated = true
		default:
			separated = false
		}
	}
	return !separated && len(s) <= maxSubject
}

// maxSubject leaves room in the line of 4,096 bytes that a server reads at
// once for the commit prefix, the lengths and the reply subject.
const maxSubject = 3500

func validTTL(ttl string) bool {
	if ttl == "" || ttl == "never" {
		return true
	}
	d, err := time.ParseDuration(ttl)
	return err == nil && d >= time.Second && d%time.Second == 0
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}
