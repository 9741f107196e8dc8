package dingtalk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rollcall/poller"
)

var _ poller.Refresher = (*Client)(nil)

// Client is DingTalk's API seen by one tenant. It may be used by many at once.
type Client struct {
	exchange *exchange
	tokens   *tokens
	own      *http.Transport // nil: the transport was handed in
}

// New makes a client; no call is made yet. The client is to be closed.
func New(config Config) (*Client, error) {
	var own *http.Transport
	if config.Transport == nil {
		own = newTransport()
		config.Transport = own
	}
	config, endpoint, err := config.complete()
	if err != nil {
		return nil, err
	}
	x := &exchange{
		endpoint: endpoint, transport: config.Transport, timeout: config.Timeout, maxAnswer: maxAnswer,
		now: config.Now, skewed: config.Skewed, log: config.Logger, redactor: new(redactor), large: make(chan struct{}, 1),
	}
	t := &tokens{
		fetch: func(ctx context.Context) (token, error) { return x.fetchToken(ctx, config.Auth) },
		now:   config.Now, log: config.Logger,
		watch: secretWatcher{print: config.Auth.digest},
	}
	t.life, t.end = context.WithCancel(context.Background())
	return &Client{exchange: x, tokens: t, own: own}, nil
}

// Close ends the request for a token that may be under way, and the client's
// own idle connections. Calls after it fail once the token has run out.
func (c *Client) Close() {
	c.tokens.close()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Endpoint is where the API is, without anything after its host.
func (c *Client) Endpoint() string { return c.exchange.endpoint.String() }

// CheckToken gets a token, or uses the one that is held, which proves the
// credentials; it returns when that token ends. It is not metered.
func (c *Client) CheckToken(ctx context.Context) (expires time.Time, err error) {
	held, err := c.tokens.get(ctx, 0)
	return held.expires, err
}

// Query asks about many meetings with one metered call, or with none if there
// are no ids.
func (c *Client) Query(ctx context.Context, ids []string) (poller.Answers, error) {
	return c.Refresh(ctx, ids, nil)
}

// Refresh is Query for one who holds earlier answers: known[i] is the Raw that
// ids[i] was found with.
func (c *Client) Refresh(ctx context.Context, ids []string, known [][]byte) (poller.Answers, error) {
	if len(ids) == 0 {
		return poller.Answers{Complete: true}, nil
	}
	var answers poller.Answers
	q := question{
		op: opQuery, method: http.MethodPost, path: "/v1.0/conference/videoConferences/query",
		body: queryBody(ids),
	}
	err := c.call(ctx, q, func(a answer) error {
		var err error
		answers, err = c.exchange.readAnswers(a, ids, known)
		return err
	})
	return answers, err
}

// Lookup asks about one meeting with one metered call.
func (c *Client) Lookup(ctx context.Context, id string) (poller.Standing, error) {
	if id == "" {
		return poller.Standing{}, &Fault{
			Operation: string(opLookup), Detail: "the meeting's id is empty", class: poller.ClassBadRequest,
		}
	}
	var standing poller.Standing
	q := question{op: opLookup, method: http.MethodGet, path: "/v1.0/conference/videoConferences/" + escapeSegment(id)}
	err := c.call(ctx, q, func(a answer) error {
		var err error
		standing, err = c.exchange.readStanding(a, id)
		return err
	})
	return standing, err
}

// call asks with a token and reads the answer; read must not retain any of it.
// A token that DingTalk refuses is renewed once, and the question asked once
// more, if what pays for the first request pays for the second one, too.
func (c *Client) call(ctx context.Context, q question, read func(answer) error) error {
	held, err := c.tokens.get(ctx, 0)
	if err != nil {
		return err
	}
	err = c.attempt(ctx, q, held, read)
	if fault, ok := errors.AsType[*Fault](err); !ok || fault.class != poller.ClassToken {
		return err
	}
	if held, err = c.tokens.get(ctx, held.generation); err != nil {
		return err
	}
	if err := poller.Again(ctx, poller.ClassToken); err != nil {
		return err
	}
	return c.attempt(ctx, q, held, read)
}

func (c *Client) attempt(ctx context.Context, q question, held token, read func(answer) error) error {
	q.token = held.value
	a, err := c.exchange.ask(ctx, q)
	if err != nil {
		return err
	}
	defer c.exchange.release(&a)
	return read(a)
}
