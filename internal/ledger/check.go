package ledger

import (
	"fmt"
	"strings"
	"time"

	"rollcall/internal/subject"
)

// headerAllowance is more than the lines that a batch adds to a message take:
// its id, sequence and commit, the guard, the roll-up and the TTL.
const headerAllowance = 256

// HeaderSize is an upper bound, in bytes, of the headers of m in a batch.
func (m *Message) HeaderSize() int {
	return headerAllowance + len("Content-Type: \r\n") + len(m.ContentType)
}

// Size is an upper bound, in bytes, of what m takes of [MaxBatchBytes].
func (m *Message) Size(n subject.Names) int {
	return len(n.Commit(m.Subject)) + m.HeaderSize() + len(m.Data)
}

// CheckBatch refuses what the broker would refuse, or would answer in a way
// that does not tell what is wrong. The errors match [ErrRefused] and name the
// message. A maxPayload of 0 or less, in bytes, is not checked.
func CheckBatch(n subject.Names, msgs []Message, maxPayload int64) error {
	if len(msgs) == 0 {
		return refuse("the batch is empty")
	}
	if len(msgs) > MaxBatchMessages {
		return refuse("the batch is too large: %d messages, at most %d are allowed; cut it between meetings", len(msgs), MaxBatchMessages)
	}
	total, seen := 0, make(map[string]bool, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		if err := m.check(n, maxPayload); err != nil {
			return err
		}
		if seen[m.Subject] && (m.Guarded || m.Rollup) {
			return refuse("%s is written twice in one batch, and only the first may be guarded or rolled up", m.Subject)
		}
		seen[m.Subject] = true
		total += m.Size(n)
	}
	if total > MaxBatchBytes {
		return refuse("the batch is too large: %d bytes, at most %d are allowed; cut it between meetings", total, MaxBatchBytes)
	}
	return nil
}

func (m *Message) check(n subject.Names, maxPayload int64) error {
	if !strings.HasPrefix(m.Subject, n.Prefix+".") || !literal(m.Subject) {
		return refuse("%.200q is no subject below %s", m.Subject, n.Prefix)
	}
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
	for token := range strings.SplitSeq(s, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n\x00") {
			return false
		}
	}
	return len(s) <= maxSubject
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
