package push

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"rollcall/internal/address"
	"rollcall/internal/safetext"
	"rollcall/internal/secret"
)

// dialing bounds how long a connection may take to be made.
const dialing = 15 * time.Second

// newDialer returns what makes connections; it follows no redirect, which would
// carry the ticket elsewhere.
func newDialer(from *http.Client) http.Client {
	var client http.Client
	if from != nil {
		client = *from
	}
	if client.Transport == nil {
		http1 := new(http.Protocols)
		http1.SetHTTP1(true)
		client.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, Protocols: http1, TLSHandshakeTimeout: 5 * time.Second,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// connect opens the gateway and makes the connection that it names.
func (l *Listener) connect(ctx context.Context) (*websocket.Conn, error) {
	endpoint, ticket, err := l.Gateway.Open(ctx)
	if err != nil {
		return nil, err
	}
	at, err := locate(endpoint, ticket)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{HTTPClient: &l.dialer})
	if err != nil {
		return nil, fmt.Errorf("connect to %s, which DingTalk's gateway names: %s", at.Host, reason(err, ticket))
	}
	conn.SetReadLimit(largest)
	return conn, nil
}

// locate adds the ticket to the endpoint, which must not show it to the network.
// Its errors do not repeat what else the endpoint holds.
func locate(endpoint string, ticket secret.String) (*url.URL, error) {
	at, err := url.Parse(endpoint)
	switch {
	case err != nil || at.Hostname() == "":
		return nil, errors.New("open the gateway of pushes: the endpoint that it names is no address")
	case at.Scheme == "wss", at.Scheme == "ws" && address.Loopback(at.Hostname()):
	default:
		return nil, fmt.Errorf("open the gateway of pushes: the endpoint that it names on %q is not wss://, and would show the ticket to the network",
			safetext.Field(at.Host, 100))
	}
	at.User = nil
	query := at.Query()
	query.Set("ticket", ticket.Reveal())
	at.RawQuery = query.Encode()
	return at, nil
}

// reason says why a connection was not made, without its address, which holds the ticket.
func reason(err error, ticket secret.String) string {
	text := err.Error()
	if at, ok := errors.AsType[*url.Error](err); ok {
		text = at.Err.Error()
	}
	for _, form := range []string{ticket.Reveal(), url.QueryEscape(ticket.Reveal())} {
		text = strings.ReplaceAll(text, form, "•••")
	}
	return safetext.Field(text, 300)
}
