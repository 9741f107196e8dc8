package dingtalk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
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
	body   []byte        // JSON; nil: none
}

// answer is what came back with a status of success. Its body is gone once the
// answer is released: what is to be kept of it is copied.
type answer struct {
	op     operation
	status int
	header http.Header
	body   []byte
	buffer *bytes.Buffer // holds the body; nil: there is none
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
	buffers   sync.Pool // of *bytes.Buffer, that bodies were read into
}

// ask makes the call. Its error is a *Fault, or that of ctx; without one the
// answer is to be released.
func (x *exchange) ask(ctx context.Context, q question) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	began := x.now()
	a, err := x.carry(ctx, q)
	if err == nil {
		err = x.refusal(a)
	}
	if entry := x.log.Check(zap.DebugLevel, "dingtalk call"); entry != nil {
		entry.Write(zap.String("operation", string(q.op)), zap.Duration("took", x.now().Sub(began)),
			zap.Int("status", a.status), zap.Int("bytes", len(a.body)), zap.Error(err))
	}
	if err != nil {
		x.release(&a)
	}
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
	a := answer{op: q.op, status: response.StatusCode, header: response.Header, buffer: x.buffer()}
	most := x.maxAnswer
	if a.status != http.StatusOK {
		most = min(most, maxComplaint)
	}
	var whole bool
	if a.body, whole, err = readBody(response, a.buffer, most); err != nil {
		x.release(&a)
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	if !whole && a.status == http.StatusOK {
		x.release(&a)
		return a, x.fault(a, fmt.Sprintf("the answer is larger than %d MiB", x.maxAnswer>>20))
	}
	return a, nil
}

// request makes the request of a question. It has a body that cannot be had
// again, if an empty one: else net/http would send it once more, unseen, when a
// connection that was kept breaks after DingTalk has read it.
func (x *exchange) request(ctx context.Context, q question) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, q.method, x.endpoint.String()+q.path, io.NopCloser(bytes.NewReader(q.body)))
	if err != nil {
		return nil, errors.New("the question has no valid address")
	}
	request.Header.Set("User-Agent", "rollcall")
	request.Header.Set("Accept", "application/json")
	if q.body != nil {
		request.ContentLength = int64(len(q.body))
		request.Header.Set("Content-Type", "application/json")
	}
	if !q.token.Empty() {
		request.Header.Set("x-acs-dingtalk-access-token", q.token.Reveal())
	}
	return request, nil
}

// readBody reads at most so many bytes into an empty buffer; whole is false if
// there were more.
func readBody(response *http.Response, buffer *bytes.Buffer, most int64) (body []byte, whole bool, err error) {
	const trusted = 1 << 20 // a length that was only announced gets no more memory than this
	if length := response.ContentLength; length > 0 {
		buffer.Grow(int(min(length, trusted)) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(response.Body, most+1))
	if n > most {
		return buffer.Bytes()[:most], false, nil
	}
	return buffer.Bytes(), true, err
}

// buffer gives an empty buffer, mostly one that held a body of the same kind.
func (x *exchange) buffer() *bytes.Buffer {
	if buffer, ok := x.buffers.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

// maxKept is how large a buffer may be that waits to be used again: room for
// the answer about a hundred meetings of several hundred people.
const maxKept = 8 << 20

// release gives the memory of an answer up for the next one.
func (x *exchange) release(a *answer) {
	if a.buffer != nil && a.buffer.Cap() <= maxKept {
		a.buffer.Reset()
		x.buffers.Put(a.buffer)
	}
	a.body, a.buffer = nil, nil
}
