package target

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// meaning is what one of a service's codes says.
type meaning struct {
	class Class
	large bool   // the message is too large
	fix   string // what the operator can do
}

// coded is the body in which chat services answer under the status 200.
type coded struct {
	code  int
	words string
}

// verdict of a code: 0 alone is success, and what is not in the table is taken
// for a fault that may pass, so that no message is given up for it.
func (a answer) verdictOf(c coded, table map[int]meaning, silence time.Duration) verdict {
	if c.code == 0 {
		return verdict{}
	}
	m, known := table[c.code]
	if !known {
		m = meaning{class: ServerError}
	}
	return a.refused(m, fmt.Sprintf("refused with code %d", c.code), c.words, silence)
}

// refused makes a verdict of a meaning.
func (a answer) refused(m meaning, what, words string, silence time.Duration) verdict {
	v := verdict{Outcome: Outcome{Class: m.class, Final: m.class == ClientError, Detail: a.detail(what, words, m.fix)}, large: m.large}
	v.Pause = a.retryAfter()
	if m.class == RateLimited {
		v.Pause = cmp.Or(v.Pause, silence)
	}
	return v
}

// verdictOfStatus is what a status says that is not a success.
func (a answer) verdictOfStatus(words string, silence time.Duration) verdict {
	v := a.refused(meaningOf(a.status), fmt.Sprintf("refused with HTTP status %d", a.status), words, silence)
	v.Unsure = a.status == http.StatusInternalServerError || a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout
	return v
}

// meaningOf returns what an HTTP status means.
func meaningOf(status int) meaning {
	switch {
	case status >= 500:
		return meaning{class: ServerError}
	case status == http.StatusTooManyRequests:
		return meaning{class: RateLimited}
	case status == http.StatusRequestEntityTooLarge:
		return meaning{class: ClientError, large: true}
	case status == http.StatusGone:
		return meaning{class: Gone, fix: "the target was switched off; make a new address"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return meaning{class: AuthError, fix: "check the address, whole as the service shows it"}
	case status >= 300 && status < 400:
		return meaning{class: AuthError, fix: "redirects are not followed; configure the address that it leads to"}
	}
	return meaning{class: ClientError}
}

// unreadable is the verdict on an answer that says neither yes nor no.
func (a answer) unreadable() verdict {
	return verdict{Outcome: Outcome{
		Class: ServerError, Unsure: true,
		Detail: a.detail("the answer holds no code", string(a.body), "check that the address is the service's own"),
	}}
}

// number is a code, which some services write as a string at times.
type number int

// UnmarshalJSON reads 0 and "0".
func (n *number) UnmarshalJSON(data []byte) error {
	value, err := strconv.Atoi(strings.Trim(string(data), `" `))
	if err != nil {
		return errors.New("the code is no number")
	}
	*n = number(value)
	return nil
}

// toJSON writes a value as JSON in which < > & stand as they are.
func toJSON(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // maps, strings and lists: it cannot fail
	return bytes.TrimRight(b.Bytes(), "\n")
}
