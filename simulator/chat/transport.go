package chat

import (
	"bytes"
	"io"
	"maps"
	"net/http"
)

// Transport reaches the services without a network, by whatever host.
func (c *Chat) Transport() http.RoundTripper { return transport{c.mux} }

type transport struct{ handler http.Handler }

// RoundTrip lets the handler answer, and returns io.EOF where it hangs up.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // as a transport must
	}
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := &recorder{header: http.Header{}, status: http.StatusOK}
	answered := make(chan bool, 1)
	go func() {
		whole := false
		defer func() {
			if r := recover(); r != nil && r != http.ErrAbortHandler {
				panic(r)
			}
			answered <- whole
		}()
		t.handler.ServeHTTP(out, in)
		whole = true
	}()
	// The handler ends with the request's context, so nobody waits for ever.
	switch whole := <-answered; {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case !whole:
		return nil, io.EOF
	}
	return out.response(r), nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }

func (r *recorder) response(to *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: maps.Clone(r.header), Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()), Request: to,
	}
}
