package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/wire"
)

// Statuses reads the last status of every tenant that there ever was. What cannot be
// understood is left out.
func (s *JetStream) Statuses(ctx context.Context) (map[string]wire.Status, error) {
	found := make(map[string]got)
	whole, err := s.read.getOnce(ctx, s.names.Stream, []string{s.names.Status("*")}, found)
	if err == nil && !whole {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read the tenants' statuses: %w", err)
	}
	all := make(map[string]wire.Status, len(found))
	for _, m := range found {
		var status wire.Status
		if status.UnmarshalJSON(m.data) == nil {
			all[strings.TrimPrefix(m.subject, s.names.Status(""))] = status
		}
	}
	return all, nil
}
