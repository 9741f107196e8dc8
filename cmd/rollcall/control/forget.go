package control

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"rollcall"
	"rollcall/worker"
)

// Forgotten is the answer to forget.
type Forgotten struct {
	Schema int    `json:"schema"`
	Tenant string `json:"tenant"`
	// Meetings are those of which anything of the user is stored, sorted by id; with a
	// conferenceId that one, as it was before.
	Meetings []Trace `json:"meetings"`
	More     bool    `json:"more"` // there are others: ask again when these are done
	// Overwritten is, with files, how many deleted messages were overwritten in NATS's
	// files; absent: the worker cannot reach them.
	Overwritten *int `json:"overwritten,omitempty"`
}

// Trace is what is stored of a user in one meeting.
type Trace struct {
	ConferenceID string `json:"conferenceId"`
	Events       int    `json:"events"`   // about the user, or that list the user
	Recorded     bool   `json:"recorded"` // the record shows the user
}

// mostTraces is how many meetings one answer names: it must fit into a message.
const mostTraces = 1000

// Traces returns where anything of a user is stored, as far as one answer names it.
func (c *Client) Traces(ctx context.Context, user string) (Forgotten, error) {
	return c.forget(ctx, request{User: user})
}

// Forget has a user forgotten in one meeting: what is stored there of the user is
// erased, and the meeting goes on about somebody without name or id. It may be called
// again after an error.
func (c *Client) Forget(ctx context.Context, user, conferenceID string) (Forgotten, error) {
	return c.forget(ctx, request{User: user, ConferenceID: conferenceID})
}

// OverwriteFiles has what NATS has deleted overwritten in its files, where the worker
// that answers has it inside itself.
func (c *Client) OverwriteFiles(ctx context.Context, user string) (Forgotten, error) {
	return c.forget(ctx, request{User: user, Files: true})
}

func (c *Client) forget(ctx context.Context, wanted request) (answer Forgotten, err error) {
	return answer, c.order(ctx, verbForget, wanted, &answer)
}

// CheckUser refuses what cannot be the id of a user.
func CheckUser(id string) error {
	if id == "" || len(id) > rollcall.MaxID {
		return worker.ErrNoUser
	}
	return nil
}

// forget answers here what the stream and the files are asked for, and where the
// meeting's shard is held what one meeting is.
func (e *endpoint) forget(ctx context.Context, wanted request) (answer reply, held bool) {
	ctx, cancel := context.WithTimeout(ctx, limit(verbForget))
	defer cancel()
	found, err := bounded(ctx, e, func(ctx context.Context) (Forgotten, error) { return e.forgotten(ctx, wanted) })
	if errors.Is(err, worker.ErrNotHeld) && wanted.ConferenceID != "" {
		return reply{}, false
	}
	if err != nil {
		return problemOf(err, e.tenant.Name, e.verb, wanted.ConferenceID).reply(), true
	}
	if wanted.ConferenceID != "" {
		e.service.log.Info("somebody forgotten in a meeting by request", zap.String("tenant", e.tenant.Name),
			zap.String("meeting", wanted.ConferenceID), zap.Int("events", found.Meetings[0].Events))
	}
	return encoded(found), true
}

func (e *endpoint) forgotten(ctx context.Context, wanted request) (Forgotten, error) {
	w, tenant := e.service.worker, e.tenant.Name
	answer := Forgotten{Schema: Schema, Tenant: tenant, Meetings: []Trace{}}
	var traces []worker.Trace
	var err error
	switch {
	case wanted.Files:
		n, reached, err := w.OverwriteFiles(ctx)
		if reached {
			answer.Overwritten = &n
		}
		return answer, err
	case wanted.ConferenceID != "":
		var trace worker.Trace
		trace, err = w.Forget(ctx, tenant, wanted.ConferenceID, wanted.User)
		traces = []worker.Trace{trace}
	default:
		traces, err = w.Traces(ctx, tenant, wanted.User)
	}
	if answer.More = len(traces) > mostTraces; answer.More {
		traces = traces[:mostTraces]
	}
	for _, t := range traces {
		answer.Meetings = append(answer.Meetings, Trace(t))
	}
	return answer, err
}
