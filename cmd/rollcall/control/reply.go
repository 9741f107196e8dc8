package control

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"rollcall/internal/safetext"
)

// inboxes are what a subject may begin with on which an answer is sent: where
// clients wait for answers, here and in other accounts. The client says where
// the answer goes, and the worker may publish what its clients may not:
// records, claims, events.
func inboxes(conn *nats.Conn) []string {
	return []string{nats.InboxPrefix, "_R_.", strings.TrimSuffix(cmp.Or(conn.Opts.InboxPrefix, nats.InboxPrefix), ".") + "."}
}

// answers reports whether an answer may be sent to a subject; "" is nobody's.
func (s *Service) answers(to string) bool {
	for _, inbox := range s.inboxes {
		if strings.HasPrefix(to, inbox) && len(to) > len(inbox) {
			return true
		}
	}
	return to == ""
}

// refusals logs requests that are refused for where their answer would go:
// the first at once, and then, at most once a minute, how many there were.
type refusals struct {
	log *zap.Logger

	mu    sync.Mutex // guards what follows
	told  time.Time
	since int // not logged yet
}

func (r *refusals) note(m *nats.Msg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since++; time.Since(r.told) < time.Minute {
		return
	}
	r.log.Warn("request refused: its reply subject is no inbox; set nats.inbox_prefix if yours differ",
		zap.String("subject", safetext.Field(m.Subject, 200)), zap.String("reply", safetext.Field(m.Reply, 200)), zap.Int("requests", r.since))
	r.told, r.since = time.Now(), 0
}
