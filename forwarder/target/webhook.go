package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rollcall/internal/secret"
)

// webhook is whoever takes CloudEvents, signed as Standard Webhooks say, and
// tried again on the schedule that these document.
func webhook() Kind {
	limit := Limit{Silence: time.Minute}
	return Kind{
		Name: "webhook", Title: "webhook", Limit: limit, Idempotent: true, Signs: true,
		Schedule: []time.Duration{
			0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
			5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
		},
		New: func(o Options) (Target, error) { return newWebhook(o, limit.Silence) },
	}
}

type hook struct {
	unseen
	*poster
	address Address
	keys    []*standardwebhooks.Webhook // the current first
	silence time.Duration
}

func newWebhook(o Options, silence time.Duration) (Target, error) {
	if o.Address.Empty() {
		return nil, errors.New("there is no address")
	}
	keys, err := webhookKeys(o)
	if err != nil {
		return nil, err
	}
	return &hook{poster: newPoster(o, guard(!o.AllowPrivate)), address: o.Address, keys: keys, silence: silence}, nil
}

// webhookKeys reads the secrets: whsec_ and base64.
func webhookKeys(o Options) ([]*standardwebhooks.Webhook, error) {
	keys := []*standardwebhooks.Webhook{}
	for _, s := range append([]secret.String{o.Secret}, o.OldSecrets...) {
		if s.Empty() {
			continue
		}
		key, err := standardwebhooks.NewWebhook(s.Reveal())
		if err != nil || len(s.Reveal()) < 32 { // the error would show where the secret is wrong
			return nil, errors.New(`a secret must be whsec_ and at least 24 bytes in base64: printf whsec_ && openssl rand -base64 32`)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Send posts the event. Any answer but 2xx is a failure that the schedule tries
// again, except where the receiver says that it wants no more.
func (h *hook) Send(ctx context.Context, m Message) Outcome {
	header, err := h.headers(m)
	if err != nil {
		return Outcome{Class: ClientError, Final: true, Detail: "the event cannot be signed"}
	}
	a, failed := h.post(ctx, h.address.reveal(), m.Event, header)
	if failed != nil {
		failed.Requests = 1
		return *failed
	}
	outcome := h.judge(a)
	outcome.Requests = 1
	return outcome
}

// headers signs with every key, so that the receiver can change its own at any
// time between.
func (h *hook) headers(m Message) (http.Header, error) {
	now := h.now()
	header := http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}
	header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	signatures := []string{}
	for _, key := range h.keys {
		signature, err := key.Sign(m.ID, now, m.Event)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) > 0 {
		header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	}
	return header, nil
}

func (h *hook) judge(a answer) Outcome {
	if a.status >= 200 && a.status < 300 {
		return Outcome{}
	}
	m, what := meaningOf(a.status), fmt.Sprintf("refused with HTTP status %d", a.status)
	switch {
	case a.status == http.StatusBadGateway, a.status == http.StatusGatewayTimeout:
		m.class = RateLimited // which Standard Webhooks want, since it may be the load
	case m.class == ClientError:
		m.fix = "the receiver must answer 2xx"
	}
	abort := strings.EqualFold(strings.TrimSpace(a.header.Get("webhook-delivery")), "abort-message")
	if abort && m.class != Gone {
		m, what = meaning{class: ClientError}, what+"; the receiver wants no further attempt"
	}
	outcome := a.refused(m, what, "", h.silence).Outcome
	outcome.Final, outcome.Unsure = abort || m.class == Gone, a.status >= 500
	return outcome
}
