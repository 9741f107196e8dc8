package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// control is the API below /_sim/: the simulator's methods, over HTTP.
type control struct{ simulator *Simulator }

// handle adds the endpoints below /_sim/, which is no path of DingTalk's.
func (c control) handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/{$}", c.help)
	mux.HandleFunc("GET /_sim/meetings", c.meetings)
	mux.HandleFunc("GET /_sim/facts", c.facts)
	mux.HandleFunc("GET /_sim/served", c.served)
	mux.HandleFunc("POST /_sim/act", c.act)
	mux.HandleFunc("GET /_sim/fault", c.armed)
	mux.HandleFunc("POST /_sim/fault", c.arm)
	mux.HandleFunc("DELETE /_sim/fault", c.disarm)
	mux.HandleFunc("POST /_sim/revoke", c.revoke)
	mux.HandleFunc("GET /_sim/pushes", c.pushes)
	mux.HandleFunc("/_sim/", func(w http.ResponseWriter, r *http.Request) {
		complain(w, http.StatusNotFound, fmt.Errorf("%s %s is not known: %s is allowed", r.Method, r.URL.Path, list(endpoints())))
	})
}

func endpoints() []string {
	return []string{
		"GET /_sim/", "GET /_sim/meetings", "GET /_sim/facts?since=N", "GET /_sim/served?since=N", "POST /_sim/act",
		"GET /_sim/fault", "POST /_sim/fault", "DELETE /_sim/fault", "POST /_sim/revoke", "GET /_sim/pushes",
	}
}

// help is what GET /_sim/ answers.
type help struct {
	Endpoints  []string    `json:"endpoints"`
	Acts       []string    `json:"acts"`
	Faults     []string    `json:"faults"`
	PushFaults []string    `json:"pushFaults"` // those of the operation push
	Operations []Operation `json:"operations"`
}

func (c control) help(w http.ResponseWriter, _ *http.Request) {
	tell(w, help{endpoints(), verbNames(verbTable()), FaultNames(), PushFaultNames(), operations()})
}

func (c control) meetings(w http.ResponseWriter, _ *http.Request) {
	tell(w, c.simulator.meetingViews())
}

func (c control) facts(w http.ResponseWriter, r *http.Request) {
	since, err := sinceOf(r)
	if err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	lines(w, c.simulator.HappenedSince(since), viewFact)
}

func (c control) served(w http.ResponseWriter, r *http.Request) {
	since, err := sinceOf(r)
	if err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	lines(w, c.simulator.ServedSince(since), viewServed)
}

func (c control) act(w http.ResponseWriter, r *http.Request) {
	var act Act
	if err := readStrictly(w, r, &act); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	facts, err := c.simulator.Act(act)
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		complain(w, http.StatusConflict, err)
	case err != nil:
		complain(w, http.StatusBadRequest, err)
	default:
		tell(w, actAnswer{Facts: views(facts, viewFact)})
	}
}

func (c control) armed(w http.ResponseWriter, _ *http.Request) {
	tell(w, faultAnswer{Faults: views(c.simulator.Armed(), viewFault)})
}

func (c control) arm(w http.ResponseWriter, r *http.Request) {
	var body faultView
	if err := readStrictly(w, r, &body); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	if err := c.simulator.Arm(body.fault()); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	c.armed(w, r)
}

func (c control) disarm(w http.ResponseWriter, r *http.Request) {
	c.simulator.Disarm()
	c.armed(w, r)
}

func (c control) revoke(w http.ResponseWriter, _ *http.Request) {
	c.simulator.RevokeTokens()
	tell(w, struct{}{})
}

// sinceOf reads ?since=N; without it everything is meant.
func sinceOf(r *http.Request) (uint64, error) {
	word := r.URL.Query().Get("since")
	if word == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("since is %q: a number from 0 is allowed, the last one you have seen", word)
	}
	return n, nil
}

// readStrictly reads one JSON object and refuses fields it does not know.
func readStrictly(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read body: at most %d bytes are allowed: %w", maxBody, err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("read body: one JSON object is needed, with %s: %w", list(fields(into)), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read body: something follows the JSON object; one object is allowed")
	}
	return nil
}

func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	send(w, http.StatusOK, [][]byte{encode(v), []byte("\n")})
}

func complain(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	send(w, status, [][]byte{encode(errorView{err.Error()}), []byte("\n")})
}

// lines answers JSON lines.
func lines[T, V any](w http.ResponseWriter, items []T, view func(T) V) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	for _, item := range items {
		if _, err := w.Write(append(encode(view(item)), '\n')); err != nil {
			return // the caller is gone
		}
	}
}

// span is a duration in JSON: a text with a unit, such as "1.5s".
type span time.Duration

func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("a duration is %q: a number with a unit is allowed, such as 300ms or 10s", text)
	}
	*d = span(parsed)
	return nil
}
