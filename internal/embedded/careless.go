package embedded

import (
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// What all readers together may leave unread in the memory of this process, and
// how often that is looked at. nats-server itself bounds each connection alone,
// and the worker's like any other.
const (
	maxUnread = 64 << 20
	lookEvery = 100 * time.Millisecond
)

// keepReadersInBounds disconnects those who leave most unread while it is too
// much, until done is closed. They connect again and go on where they were.
func (s *Server) keepReadersInBounds(log *zap.Logger, done <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	dropped, told := 0, time.Time{}
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if s.running.NumClients() > 1 {
			dropped += s.dropCareless()
		}
		if dropped > 0 && time.Since(told) > time.Minute { // they come again, and again
			log.Warn("readers are disconnected: they do not read what they subscribe to, and that takes memory",
				zap.Int("disconnected", dropped), zap.Int("unread_bytes_allowed", maxUnread))
			dropped, told = 0, time.Now()
		}
	}
}

// dropCareless disconnects as many as it takes, and returns how many.
func (s *Server) dropCareless() (dropped int) {
	all, err := s.running.Connz(&server.ConnzOptions{Sort: server.ByPending, Username: true, Limit: mostConnections})
	if err != nil {
		return 0 // there is nothing that could be wrong with the question
	}
	readers := slices.DeleteFunc(all.Conns, func(c *server.ConnInfo) bool { return c.AuthorizedUser == s.worker.Username })
	unread := 0
	for _, c := range readers {
		unread += c.Pending
	}
	for _, c := range readers { // the one with most comes first
		if unread <= maxUnread {
			break
		}
		unread -= c.Pending
		if s.running.DisconnectClientByID(c.Cid) == nil { // otherwise it left on its own
			dropped++
		}
	}
	return dropped
}
