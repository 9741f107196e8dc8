package dingtalk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"rollcall/internal/secret"
	"rollcall/poller"
)

const opGateway operation = "open the gateway of pushes"

// fixStream is what an operator can do where the gateway is not permitted.
const fixStream = "an administrator chooses the Stream mode in the DingTalk developer console: the app, Events and callbacks; " +
	"and grants VideoConference.Conference.Read"

// Gateway opens connections of one app for DingTalk's pushes, its Stream mode.
type Gateway struct {
	Client   *Client
	ClientID string // the app's AppKey
	Secret   Secret // the app's AppSecret, read at each opening
}

// gatewayRequest is what the gateway is asked. DingTalk pushes only what the app
// is subscribed to in the developer console, whatever the topic says.
type gatewayRequest struct {
	ClientID      string         `json:"clientId"`
	ClientSecret  string         `json:"clientSecret"`
	Subscriptions []subscription `json:"subscriptions"`
	UA            string         `json:"ua"`
}

type subscription struct {
	Type  string `json:"type"`
	Topic string `json:"topic"`
}

// Open returns where a connection is to be made, and the ticket for it, which is
// good once and for 90 s. It is not metered. Its error is a *Fault, or that of ctx.
func (g Gateway) Open(ctx context.Context) (endpoint string, ticket secret.String, err error) {
	x := g.Client.exchange
	body, err := g.body(x.redactor)
	if err != nil {
		return "", secret.String{}, &Fault{
			Operation: string(opGateway), Detail: x.redactor.clean(err.Error(), 4*maxMessage), class: poller.ClassToken,
			Fix: "check where the configuration says that the secret is",
		}
	}
	a, err := x.ask(ctx, question{op: opGateway, method: http.MethodPost, path: "/v1.0/gateway/connections/open", body: body})
	if err != nil {
		return "", secret.String{}, err
	}
	defer x.release(&a)
	endpoint, value := readGateway(a.body)
	if err := x.refused(a, value == ""); err != nil {
		return "", secret.String{}, err
	}
	if value == "" || endpoint == "" {
		return "", secret.String{}, x.fault(a, "the answer holds no endpoint with a ticket")
	}
	x.redactor.hide(value)
	return endpoint, secret.New(value), nil
}

func (g Gateway) body(r *redactor) ([]byte, error) {
	value, err := g.Secret()
	if err != nil {
		return nil, fmt.Errorf("client secret: %w", err)
	}
	r.hide(value.Reveal())
	return json.Marshal(gatewayRequest{
		ClientID: g.ClientID, ClientSecret: value.Reveal(), UA: "rollcall",
		Subscriptions: []subscription{{Type: "EVENT", Topic: "*"}},
	})
}

func readGateway(body []byte) (endpoint, ticket string) {
	ok := pick(body, func(name, raw []byte) {
		switch string(name) {
		case "endpoint":
			endpoint, _ = text(raw)
		case "ticket":
			ticket, _ = text(raw)
		}
	})
	if !ok || !visible(ticket) {
		return "", ""
	}
	return endpoint, ticket
}
