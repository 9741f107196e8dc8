package target

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/safetext"
	"rollcall/internal/secret"
)

const (
	timeout    = 15 * time.Second // of a request with its answer
	maxAnswer  = 64 << 10         // bytes of an answer that are read
	maxForeign = 200              // columns of a service's own words that are shown
)

// answer is what a service said.
type answer struct {
	status int
	header http.Header
	body   []byte
	at     time.Time
	clean  func(string) string // makes the service's words fit to be shown
}

// poster makes requests and keeps what is secret out of what it reports.
type poster struct {
	client *http.Client
	hidden []string
	now    func() time.Time
}

// newPoster returns a poster for an address, over the network that way allows.
func newPoster(o Options, way guard) *poster {
	transport := o.Transport
	if transport == nil {
		transport = way.transport()
	}
	return &poster{
		client: &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: stay},
		hidden: hiddenIn(o), now: clock(o.Now),
	}
}

// stay takes a redirect for the answer that it is.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// post sends a body as JSON; what it returns instead of an answer says why
// there is none.
func (p *poster) post(ctx context.Context, to *url.URL, body []byte, header http.Header) (answer, *Outcome) {
	req := (&http.Request{
		Method: http.MethodPost, URL: to, Host: to.Host, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }() // what was read counts
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, unreachable(err)
	}
	return answer{resp.StatusCode, resp.Header, said, p.now(), p.clean}, nil
}

// webAddress is an address within a service's words, with whatever it holds.
var webAddress = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// clean takes addresses, and what is secret, out of words that a service said.
func (p *poster) clean(said string) string {
	for _, value := range p.hidden {
		said = strings.ReplaceAll(said, value, "•••")
	}
	return webAddress.ReplaceAllString(said, "•••")
}

// hiddenIn returns what of the options a service may repeat and nobody should
// see: the secrets, and the parts of the address that are long enough to be one.
func hiddenIn(o Options) []string {
	const shortest = 8
	u := o.Address.reveal()
	parts := strings.Split(u.EscapedPath(), "/")
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, s := range append([]secret.String{o.Secret}, o.OldSecrets...) {
		parts = append(parts, s.Reveal())
	}
	hidden := []string{}
	for _, part := range parts {
		if len(part) >= shortest {
			hidden = append(hidden, part, url.QueryEscape(part))
		}
	}
	return hidden
}

// detail joins what happened with the service's own words and what to do.
func (a answer) detail(what, words, fix string) string {
	if words = safetext.Field(a.clean(strings.TrimSpace(words)), maxForeign); words != "" {
		what += ": " + words
	}
	if fix != "" {
		what += "; " + fix
	}
	return what
}

// retryAfter reads how long a service wants silence, in seconds or as a date;
// 0 where it does not say.
func (a answer) retryAfter() time.Duration {
	value := strings.TrimSpace(a.header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, maxPause.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(at.Sub(a.at), maxPause))
	}
	return 0
}

// maxPause is the longest silence that a service can ask for.
const maxPause = 24 * time.Hour
