package chat

import (
	"encoding/json"
	"net/http"
	"strconv"
)

func (c *Chat) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /chat/messages", func(w http.ResponseWriter, r *http.Request) {
		writeSince(w, r, c.Messages(), func(m Message) int { return m.Number })
	})
	mux.HandleFunc("GET /chat/attempts", func(w http.ResponseWriter, r *http.Request) {
		writeSince(w, r, c.Attempts(), func(a Attempt) int { return a.Number })
	})
	mux.HandleFunc("GET /chat/robots", func(w http.ResponseWriter, _ *http.Request) {
		for _, robot := range c.Robots() {
			writeLine(w, struct {
				Robot
				Path string `json:"path"`
			}{robot, robot.Path()})
		}
	})
	mux.HandleFunc("POST /chat/fault", c.addFault)
	mux.HandleFunc("DELETE /chat/fault", func(w http.ResponseWriter, _ *http.Request) {
		c.ClearFaults()
		writeLine(w, struct{}{})
	})
}

func (c *Chat) addFault(w http.ResponseWriter, r *http.Request) {
	var wanted Fault
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&wanted)
	if err == nil {
		err = c.Misbehave(wanted)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		writeLine(w, map[string]string{"error": err.Error()})
		return
	}
	writeLine(w, struct{}{})
}

// writeSince writes what has a number greater than the parameter since.
func writeSince[T any](w http.ResponseWriter, r *http.Request, all []T, number func(T) int) {
	since, err := strconv.Atoi(r.FormValue("since"))
	if err != nil && r.FormValue("since") != "" {
		w.WriteHeader(http.StatusBadRequest)
		writeLine(w, map[string]string{"error": "since must be the number of a line"})
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	for _, one := range all {
		if number(one) > since {
			writeLine(w, one)
		}
	}
}

func writeLine(w http.ResponseWriter, value any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // whoever hung up is not waiting for it
}
