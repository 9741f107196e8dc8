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
	maxAnswer    = 64 << 20 // of a query
	maxList      = 8 << 20  // of a list
	maxComplaint = 1 << 20  // of an answer that is an error anyway, or about one thing
)

// most is the longest body that is read of an answer.
func (x *exchange) most(a answer) int64 {
	switch {
	case a.status != http.StatusOK, a.op == opToken, a.op == opGateway, a.op == opLookup:
		return min(x.maxAnswer, maxComplaint)
	case a.op == opOngoing, a.op == opUser, a.op == opMembers:
		return min(x.maxAnswer, maxList)
	}
	return x.maxAnswer
}

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
	large  bool          // the turn for large answers is its
}

// exchange carries one call to DingTalk and back, within the time limit. It
// follows no redirect and repeats nothing.
type exchange struct {
	endpoint  *url.URL
	transport http.RoundTripper
	timeout   time.Duration
	maxAnswer int64
	now       func() time.Time
	skewed    func(time.Duration) // nil: nobody wants to know
	log       *zap.Logger
	redactor  *redactor
	buffers   sync.Pool     // of *bytes.Buffer, that bodies were read into
	large     chan struct{} // holds one while an answer is larger than is kept
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
	sent := x.now()
	response, err := x.transport.RoundTrip(request)
	if err != nil {
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	x.compareClocks(response.Header.Get("Date"), sent, x.now())
	defer func() { _ = response.Body.Close() }()
	a := answer{op: q.op, status: response.StatusCode, header: response.Header, buffer: x.buffer()}
	most := x.most(a)
	whole, err := x.read(callCtx, &a, response, most)
	if err != nil {
		x.release(&a)
		return answer{}, x.networkFault(ctx, q.op, err)
	}
	if !whole && a.status == http.StatusOK {
		x.release(&a)
		return a, x.fault(a, fmt.Sprintf("the answer is larger than %d MiB", most>>20))
	}
	return a, nil
}

// compareClocks holds the Date of an answer, which has no parts of a second, against
// the middle of the call.
func (x *exchange) compareClocks(date string, sent, heard time.Time) {
	if x.skewed == nil {
		return
	}
	if theirs, err := http.ParseTime(date); err == nil {
		x.skewed(sent.Add(heard.Sub(sent) / 2).Sub(theirs.Add(time.Second / 2)))
	}
}

// request makes the request of a question. It has a body that cannot be had
// again, if an empty one: otherwise net/http would send it once more, unseen, when a
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

// read reads at most so many bytes of a body; whole is false if there were more.
// Of answers that are larger than what is kept for the next one there is one at
// a time.
func (x *exchange) read(ctx context.Context, a *answer, response *http.Response, most int64) (whole bool, err error) {
	const trusted = 1 << 20 // a length that was only announced gets no more memory than this
	if length := response.ContentLength; length > 0 {
		a.buffer.Grow(int(min(length, trusted)) + bytes.MinRead)
	}
	first := min(most, maxKept)
	n, err := a.buffer.ReadFrom(io.LimitReader(response.Body, first+1))
	if n > first && n <= most {
		if err = x.takeTurn(ctx, a); err == nil {
			n, err = readRest(a.buffer, response.Body, most)
		}
	}
	a.body = a.buffer.Bytes()[:min(int64(a.buffer.Len()), most)]
	if n > most {
		return false, nil
	}
	return true, err
}

// readRest reads on behind what a buffer holds, and returns how much that is then.
// It reads in pieces: a buffer that doubles takes several times what it holds.
func readRest(buffer *bytes.Buffer, body io.Reader, most int64) (n int64, err error) {
	n = int64(buffer.Len())
	var pieces [][]byte
	for err == nil && n <= most {
		piece := make([]byte, 0, min(1<<20, most+1-n))
		for err == nil && len(piece) < cap(piece) {
			var read int
			read, err = body.Read(piece[len(piece):cap(piece)])
			piece = piece[:len(piece)+read]
		}
		pieces, n = append(pieces, piece), n+int64(len(piece))
	}
	if n > most || !errors.Is(err, io.EOF) {
		return n, err
	}
	whole := make([]byte, 0, n)
	whole = append(whole, buffer.Bytes()...)
	for i, piece := range pieces {
		whole, pieces[i] = append(whole, piece...), nil
	}
	*buffer = *bytes.NewBuffer(whole)
	return n, nil
}

func (x *exchange) takeTurn(ctx context.Context, a *answer) error {
	select {
	case x.large <- struct{}{}:
		a.large = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// buffer returns an empty buffer, mostly one that held a body of the same kind.
func (x *exchange) buffer() *bytes.Buffer {
	if buffer, ok := x.buffers.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

// maxKept is how large a buffer may be that waits to be used again: room for
// the answer about a hundred meetings of several hundred people.
const maxKept = 8 << 20

// release leaves the memory of an answer to the next one.
func (x *exchange) release(a *answer) {
	if a.buffer != nil && a.buffer.Cap() <= maxKept {
		a.buffer.Reset()
		x.buffers.Put(a.buffer)
	}
	if a.large {
		<-x.large
	}
	a.body, a.buffer, a.large = nil, nil, false
}
