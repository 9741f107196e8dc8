package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"rollcall/internal/secret"
)

// The longest bodies that are read, after decompression, in bytes.
const (
	maxAnswer    = 64 << 20
	maxComplaint = 1 << 20 // of an answer that is an error anyway
)

// question is one HTTP call.
type question struct {
	op     operation
	method string
	path   string        // escaped
	token  secret.String // empty: none is sent
	body   any           // nil: none
}

// answer is what came back with a status of success.
type answer struct {
	op     operation
	status int
	header http.Header
	body   []byte
}

// exchange carries one call to DingTalk and back, within the time limit. It
// follows no redirect and repeats nothing.
type exchange struct {
	endpoint  *url.URL
	transport http.RoundTripper
	timeout   time.Duration
	maxAnswer int64
	now       func() time.Time
	log       *zap.Logger
	veil      *veil
}

// ask makes the call. Its error is a *Fault, or that of ctx.
func (x *exchange) ask(ctx context.Context, q question) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	began := x.now()
	a, err := x.carry(ctx, q)
	if err == nil {
		err = x.refusal(a)
	}
	x.log.Debug("dingtalk call", zap.String("operation", string(q.op)), zap.Duration("took", x.now().Sub(began)),
		zap.Int("status", a.status), zap.Int("bytes", len(a.body)), zap.Error(err))
	return a, err
}

func (x *exchange) carry(ctx context.Context, q question) (answer, error) {
	callCtx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	request, err := x.request(callCtx, q)
	if err != nil {
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	response, err := x.transport.RoundTrip(request)
	if err != nil {
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{op: q.op, status: response.StatusCode, header: response.Header}
	most := x.maxAnswer
	if a.status != http.StatusOK {
		most = min(most, maxComplaint)
	}
	var whole bool
	if a.body, whole, err = readBody(response, most); err != nil {
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	if !whole && a.status == http.StatusOK {
		a.body = nil
		return a, x.fault(a, fmt.Sprintf("the answer is larger than %d MiB", x.maxAnswer>>20))
	}
	return a, nil
}

func (x *exchange) request(ctx context.Context, q question) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		encoded, err := json.Marshal(q.body)
		if err != nil {
			return nil, errors.New("the question cannot be written as JSON")
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, q.method, x.endpoint.String()+q.path, body)
	if err != nil {
		return nil, errors.New("the question has no valid address")
	}
	request.Header.Set("User-Agent", "rollcall")
	request.Header.Set("Accept", "application/json")
	if q.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if !q.token.Empty() {
		request.Header.Set("x-acs-dingtalk-access-token", q.token.Reveal())
	}
	return request, nil
}

// readBody reads at most so many bytes; whole is false if there were more.
func readBody(response *http.Response, most int64) (body []byte, whole bool, err error) {
	const trusted = 1 << 20 // a length that was only announced gets no more memory than this
	var buffer bytes.Buffer
	if length := response.ContentLength; length > 0 {
		buffer.Grow(int(min(length, trusted)) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(response.Body, most+1))
	if n > most {
		return buffer.Bytes()[:most], false, nil
	}
	return buffer.Bytes(), true, err
}
