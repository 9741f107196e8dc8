package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"rollcall"
	"rollcall/internal/safetext"
	"rollcall/internal/wait"
	"rollcall/wire"
)

// ErrNoWorker is matched by the error for a request that no worker answers.
var ErrNoWorker = errors.New("no worker answers")

// Client asks the running workers. Its errors are an [*Error] where a worker
// says why it did not do it, and match [ErrNoWorker] where none says anything.
// An order that is one too many for the moment is given again until its context ends,
// and what is not answered is asked again: a NATS server that hangs keeps the requests
// that the others pass on to it.
type Client struct {
	Conn   *nats.Conn
	Names  wire.Names
	Tenant string
	// Timeout bounds one request; 0: 35 s for a track, 125 s for a forget, 10 s for the rest.
	Timeout time.Duration
}

// Track lets a meeting be asked about, now and on the schedule, and returns its
// state. A meeting that has ended is not tracked afterwards. An error with the
// code [NotAnswered] says that it is tracked all the same.
func (c *Client) Track(ctx context.Context, conferenceID string) (Meeting, error) {
	return c.TrackAs(ctx, conferenceID, nil)
}

// TrackAs is Track with labels in place of those that the meeting has; nil leaves them.
func (c *Client) TrackAs(ctx context.Context, conferenceID string, labels rollcall.Labels) (Meeting, error) {
	wanted := request{ConferenceID: conferenceID}
	if labels != nil {
		wanted.Labels = &labels
	}
	return c.one(ctx, verbTrack, wanted)
}

// Untrack takes a meeting off the tracked set and returns its last state.
func (c *Client) Untrack(ctx context.Context, conferenceID string) (Meeting, error) {
	return c.one(ctx, verbUntrack, request{ConferenceID: conferenceID})
}

// Show returns the state of a meeting that is tracked, or was.
func (c *Client) Show(ctx context.Context, conferenceID string) (Meeting, error) {
	return c.one(ctx, verbShow, request{ConferenceID: conferenceID})
}

// List returns what is known of all the tenant's meetings, on one page.
func (c *Client) List(ctx context.Context) (List, error) {
	all := List{Schema: Schema, Tenant: c.Tenant, Meetings: []State{}}
	for wanted := (request{}); ; wanted.After = all.Next {
		var page List
		if err := c.ask(ctx, verbList, wanted, &page); err != nil {
			return List{}, err
		}
		all.Meetings = append(all.Meetings, page.Meetings...)
		all.Incomplete = all.Incomplete || page.Incomplete
		if all.Next = page.Next; all.Next == "" {
			return all, nil
		}
		if all.Next <= wanted.After {
			return List{}, errors.New("list meetings: the worker gave the same page again")
		}
	}
}

func (c *Client) one(ctx context.Context, verb string, wanted request) (Meeting, error) {
	if err := CheckID(wanted.ConferenceID); err != nil {
		return Meeting{}, apiError(BadRequest, "%v", err)
	}
	var answer Meeting
	return answer, c.order(ctx, verb, wanted, &answer)
}

// order asks again where it is one too many for the moment.
func (c *Client) order(ctx context.Context, verb string, wanted request, answer any) error {
	for {
		err := c.ask(ctx, verb, wanted, answer)
		if e, ok := errors.AsType[*Error](err); ok && e.Code == TooMany && wait.For(ctx, time.Second) {
			continue
		}
		return err
	}
}

// ask sends a request and reads its answer.
func (c *Client) ask(ctx context.Context, verb string, wanted request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, limit(verb)+5*time.Second))
	defer cancel()
	data, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	to := c.Names.API(c.Tenant, verb)
	m, err := exchange(ctx, c.Conn, to, data, askAgain(verb))
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w on %s: is `rollcall run` running with this stream and tenant, and may you publish to %[2]s?", ErrNoWorker, to)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w on %s in time: is it overloaded, or has it lost NATS? Its log tells", ErrNoWorker, to)
	case err != nil:
		return err
	}
	return decodeAnswer(m, answer)
}

// askAgain is after how long without an answer a request counts as lost. An order
// takes longer, and costs a call.
func askAgain(verb string) time.Duration {
	switch verb {
	case verbList, verbShow:
		return time.Second
	case verbForget:
		return 30 * time.Second
	}
	return 3 * time.Second
}

// exchange sends one request, and again whenever it had no answer for so long. Unlike
// nats.Conn's own it notices at once that it may not be sent.
func exchange(ctx context.Context, conn *nats.Conn, to string, data []byte, again time.Duration) (*nats.Msg, error) {
	inbox := conn.NewRespInbox()
	sub, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }() // where that fails the connection is gone
	if err := conn.PublishRequest(to, inbox, data); err != nil {
		return nil, err
	}
	if err := conn.FlushWithContext(ctx); err != nil {
		return nil, err
	}
	// The server refuses before it answers the flush.
	if err := conn.LastError(); errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+to+`"`) {
		return nil, fmt.Errorf("you may not publish to %s: ask who runs NATS for the permission: %w", to, err)
	}
	for {
		m, err := within(ctx, sub, again)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return m, err
		}
		if err := conn.PublishRequest(to, inbox, data); err != nil {
			return nil, err
		}
	}
}

func within(ctx context.Context, sub *nats.Subscription, timeout time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// decodeAnswer reads an answer, or the error that it is.
func decodeAnswer(m *nats.Msg, answer any) error {
	var head struct {
		Schema int    `json:"schema"`
		Error  *Error `json:"error"`
	}
	err := json.Unmarshal(m.Data, &head)
	said := m.Header.Get(micro.ErrorHeader)
	switch {
	case err == nil && head.Schema > Schema:
		return fmt.Errorf("the worker answers with schema %d, this version reads up to %d: upgrade this rollcall", head.Schema, Schema)
	case head.Error != nil:
		return apiError(head.Error.Code, "%s", head.Error.Message)
	case m.Header.Get(micro.ErrorCodeHeader) != "":
		return apiError(Unavailable, "%s", said)
	case err == nil && head.Schema < 1:
		return fmt.Errorf("the answer on this subject is none of rollcall's: %s", safetext.Field(string(m.Data), 80))
	case err == nil:
		err = json.Unmarshal(m.Data, answer)
	}
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
