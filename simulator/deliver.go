package simulator

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"rollcall/internal/wait"
)

// apply turns an answer into what a fault makes of it. Truncating and the
// like happen on delivery.
func (f Fault) apply(rep reply) reply {
	if change, ok := distortions()[f.Name]; ok {
		rep.shown, rep.pieces = nil, distort(rep.pieces, change)
		return rep
	}
	spoilt := reply{status: orInt(f.Status, http.StatusOK), asked: rep.asked}
	switch f.Name {
	case "", FaultLatency, FaultDrip:
		return rep
	case FaultTruncated:
		rep.shown = nil
		return rep
	case FaultCut:
		rep.shown, rep.status = nil, 0
		return rep
	case FaultHang, FaultReset:
		spoilt.status = 0
	case FaultHTML:
		spoilt.contentType = "text/html; charset=utf-8"
		spoilt.pieces = [][]byte{[]byte("<html><head><title>Error</title></head><body><h1>The page cannot be shown</h1></body></html>")}
	case FaultX5:
		spoilt.pieces = [][]byte{[]byte(`{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"5f0e7d2c"}`)}
	case FaultGarbage:
		spoilt.pieces = [][]byte{[]byte("\x1f\x8b\x00{\"infos\":[[}\xff\xfe not json")}
	case FaultEmpty, FaultHuge:
	default:
		spoilt.code = f.Name
		r, _ := rowOf(f.Name)
		spoilt.status = orInt(f.Status, r.status)
	}
	return spoilt
}

// deliver sends an answer in the manner of the fault that befell it.
func (f Fault) deliver(w http.ResponseWriter, r *http.Request, rep reply) {
	if f.RetryAfter > 0 {
		seconds := (f.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	w.Header().Set("Content-Type", orText(rep.contentType, "application/json;charset=UTF-8"))
	switch f.Name {
	case FaultHang:
		hang(r.Context(), f.Delay)
	case FaultReset:
		reset(w)
	case FaultCut:
		cut(w, rep.pieces)
	case FaultTruncated:
		send(w, rep.status, [][]byte{half(rep.pieces)})
	case FaultDrip:
		drip(w, r.Context(), rep, orDelay(f.Delay, 100*time.Millisecond))
	case FaultHuge:
		huge(w, rep.status, orInt(f.Bytes, 64<<20))
	default:
		send(w, rep.status, rep.pieces)
	}
}

// delay is how much later than others an answer is sent that a fault befell.
func (f Fault) delay() time.Duration {
	if f.Name == FaultDrip || f.Name == FaultHang {
		return 0
	}
	return f.Delay
}

func send(w http.ResponseWriter, status int, pieces [][]byte) {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	for _, piece := range pieces {
		if _, err := w.Write(piece); err != nil {
			return // the caller is gone; there is nobody to answer
		}
	}
}

func half(pieces [][]byte) []byte {
	whole := bytes.Join(pieces, nil)
	return whole[:len(whole)/2]
}

// broken ends the connection in the middle of an answer.
func broken() { panic(http.ErrAbortHandler) }

func cut(w http.ResponseWriter, pieces [][]byte) {
	part := half(pieces)
	w.Header().Set("Content-Length", strconv.Itoa(2*len(part)+2))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(part)
	_ = http.NewResponseController(w).Flush()
	broken()
}

func drip(w http.ResponseWriter, ctx context.Context, rep reply, delay time.Duration) {
	whole := bytes.Join(rep.pieces, nil)
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	w.WriteHeader(rep.status)
	piece := len(whole)/20 + 1
	for len(whole) > 0 && wait.For(ctx, delay) {
		n := min(piece, len(whole))
		_, _ = w.Write(whole[:n])
		_ = http.NewResponseController(w).Flush()
		whole = whole[n:]
	}
}

func hang(ctx context.Context, delay time.Duration) {
	if delay == 0 {
		<-ctx.Done()
	} else {
		wait.For(ctx, delay)
	}
	broken()
}

// reset closes a TCP connection such that the other side sees a reset, and
// any other kind of connection as rudely as it can be closed.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		broken()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func huge(w http.ResponseWriter, status, size int) {
	const head, tail = `{"infos":[],"padding":"`, `"}`
	filler := bytes.Repeat([]byte("x"), 64<<10)
	w.WriteHeader(status)
	_, err := fmt.Fprint(w, head)
	for size > 0 && err == nil {
		n := min(size, len(filler))
		_, err = w.Write(filler[:n])
		size -= n
	}
	if err == nil {
		_, _ = fmt.Fprint(w, tail)
	}
}

func orDelay(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
