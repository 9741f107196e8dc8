package embedded

import "github.com/nats-io/nats-server/v2/server"

// Unread is how many bytes all connections have not read.
func (s *Server) Unread() (n int) {
	all, err := s.running.Connz(&server.ConnzOptions{Limit: mostConnections})
	if err != nil {
		panic(err)
	}
	for _, c := range all.Conns {
		n += c.Pending
	}
	return n
}
