package dingtalk

import (
	"context"
	"net/http"
	"time"

	"rollcall/internal/secret"
	"rollcall/poller"
)

// The life of a token.
const (
	usualLife = 2 * time.Hour    // DingTalk's, where an answer does not say
	longLife  = 24 * time.Hour   // no token is trusted for longer
	ahead     = 10 * time.Minute // how long before its end a token is renewed
)

// token is one access token. Its zero value is valid at no time.
type token struct {
	value      secret.String
	renewAt    time.Time
	expires    time.Time
	generation uint64 // counts the tokens of a client, from 1
}

// newToken makes a token of what was asked for at a time. One that lives less
// than twice the usual lead is renewed at half its life.
func newToken(value string, asked time.Time, life time.Duration) token {
	lead := ahead
	if life < 2*ahead {
		lead = life / 2
	}
	expires := asked.Add(life)
	return token{value: secret.New(value), renewAt: expires.Add(-lead), expires: expires}
}

// fetchToken asks DingTalk for a token. Its error is a *Fault, or that of ctx.
func (x *exchange) fetchToken(ctx context.Context, auth Auth) (token, error) {
	body, err := auth.body(x.redactor)
	if err != nil {
		return token{}, &Fault{
			Operation: string(opToken), Detail: x.redactor.clean(err.Error(), 4*maxMessage), class: poller.ClassToken,
			Fix: "check where the configuration says that the secret is",
		}
	}
	asked := x.now()
	a, err := x.ask(ctx, question{op: opToken, method: http.MethodPost, path: auth.path(), body: body})
	if err != nil {
		return token{}, err
	}
	defer x.release(&a)
	value, life := readToken(a.body)
	if err := x.refused(a, value == ""); err != nil {
		return token{}, err
	}
	if value == "" {
		return token{}, x.fault(a, "the answer holds no usable token")
	}
	x.redactor.hide(value)
	return newToken(value, asked, life), nil
}

// readToken reads the answer of any flow; value is "" if it holds no token that
// a header can carry.
func readToken(body []byte) (value string, life time.Duration) {
	life = usualLife
	ok := pick(body, func(name, raw []byte) {
		switch string(name) {
		case "accessToken", "access_token":
			value, _ = text(raw)
		case "expireIn", "expires_in":
			if seconds, ok := integer(raw); ok && seconds > 0 {
				life = time.Duration(min(seconds, int64(longLife/time.Second))) * time.Second
			}
		}
	})
	if !ok || !visible(value) {
		return "", 0
	}
	return value, life
}

// visible reports whether text is of visible ASCII only, as a header wants it.
func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
