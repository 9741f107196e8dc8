package embedded

import (
	"errors"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// WriteError returns what a stream of the store failed to write. nats-server
// keeps such an error until it is started again, and stores nothing in that
// stream meanwhile, whatever room there is. nil: what was tried was written.
func (s *Server) WriteError() error {
	for _, trouble := range s.running.Healthz(&server.HealthzOptions{Details: true}).Errors {
		// A stream that is being created or deleted is listed too, and is no
		// failure.
		if trouble.Type == server.HealthzErrorJetStream || strings.Contains(trouble.Error, "write error") {
			return errors.New(trouble.Error)
		}
	}
	return nil
}
