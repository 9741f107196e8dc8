package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// hold is the rate at which nothing changes: each meeting stays as it is.
const hold = 0.0

// phase is a time during which the people change at one rate.
type phase struct {
	Rate   float64
	Served []int32 // by meeting, how many answers reported it
}

// simulated is DingTalk with answers that were rendered before. Whatever is
// asked advances the meetings it is about by one state, except while the rate
// is [hold].
type simulated struct {
	world     world
	roundTrip time.Duration
	spoken    map[float64][][][]byte // by rate, meeting and place in the cycle

	buffers sync.Pool // of *[]byte

	mu     sync.Mutex
	phases []phase
	rate   float64
	last   [][]byte // by meeting, what was said of it last
	total  int64    // meetings reported, in all phases
	calls  int64
	at     []time.Time // by meeting, when that was
	aged   float64     // meetings by seconds, squared: how old what was said of them became
}

// render makes the answers for the rates.
func render(w world, rates []float64) (*simulated, error) {
	s := &simulated{world: w, spoken: make(map[float64][][][]byte), last: make([][]byte, w.Meetings), at: make([]time.Time, w.Meetings)}
	s.buffers.New = func() any { return new([]byte) }
	cycles := make(map[float64]cycle)
	for _, rate := range rates {
		c, err := w.cycleOf(rate)
		if err != nil {
			return nil, err
		}
		cycles[rate] = c
		s.spoken[rate] = make([][][]byte, w.Meetings)
	}
	for meeting := range w.Meetings {
		s.renderMeeting(meeting, cycles)
	}
	s.begin(hold)
	return s, nil
}

// renderMeeting renders each state once, however many places of cycles it has.
func (s *simulated) renderMeeting(meeting int, cycles map[float64]cycle) {
	said := make(map[uint64][]byte)
	say := func(state uint64) []byte {
		if said[state] == nil {
			said[state] = bytes.Clone(s.world.appendAnswer(nil, meeting, state))
		}
		return said[state]
	}
	s.last[meeting] = say(0)
	for rate, c := range cycles {
		for _, state := range c.states(meeting) {
			s.spoken[rate][meeting] = append(s.spoken[rate][meeting], say(state))
		}
	}
}

// begin begins a phase.
func (s *simulated) begin(rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate = rate
	s.phases = append(s.phases, phase{Rate: rate, Served: make([]int32, s.world.Meetings)})
}

// next returns what is said of a meeting now; the lock is held.
func (s *simulated) next(meeting int) []byte {
	served := s.phases[len(s.phases)-1].Served
	if s.rate != hold {
		round := s.spoken[s.rate][meeting]
		s.last[meeting] = round[int(served[meeting])%len(round)]
	}
	served[meeting]++
	now := time.Now()
	s.aged += ageing(s.at[meeting], now)
	s.at[meeting] = now
	s.total++
	return s.last[meeting]
}

// ageing is how old something said at a time has become until another, added up
// over that time.
func ageing(said, now time.Time) float64 {
	if said.IsZero() {
		return 0
	}
	old := now.Sub(said).Seconds()
	return old * old / 2
}

// answer appends the answer to a question about the meetings whose ids stand
// in it.
func (s *simulated) answer(dst, question []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	dst = append(dst, `{"infos":[`...)
	for comma := false; ; comma = true {
		_, after, found := bytes.Cut(question, []byte(idPrefix))
		if !found {
			return append(dst, "]}"...), nil
		}
		meeting, err := strconv.Atoi(string(after[:min(8, len(after))]))
		if err != nil || meeting >= s.world.Meetings {
			return nil, errors.New("no such meeting")
		}
		if question = after; comma {
			dst = append(dst, ',')
		}
		dst = append(dst, s.next(meeting)...)
	}
}

// pages are DingTalk's, and some to steer it: /bench/rate begins a phase,
// /bench/served counts, /bench/phases returns everything.
func (s *simulated) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1.0/oauth2/accessToken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"accessToken":"bench","expireIn":7200}`)
	})
	mux.HandleFunc("POST /v1.0/conference/videoConferences/query", s.query)
	mux.HandleFunc("POST /bench/rate", func(w http.ResponseWriter, r *http.Request) {
		rate, err := strconv.ParseFloat(r.URL.Query().Get("percent"), 64)
		if err != nil || rate != hold && s.spoken[rate] == nil {
			http.Error(w, "no such rate", http.StatusBadRequest)
			return
		}
		s.begin(rate)
	})
	mux.HandleFunc("GET /bench/served", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.served())
	})
	mux.HandleFunc("GET /bench/phases", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.phases)
	})
	return mux
}

// served is how much was reported.
type served struct {
	Meetings int64 // in all
	Calls    int64 // in all
	Least    int32 // answers about the meeting that was reported least, in this phase
	// Age is how many seconds old what is known of all meetings was, added up over
	// all seconds since the first question.
	Age float64
}

func (s *simulated) served() served {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.phases[len(s.phases)-1].Served
	least, age, now := counts[0], s.aged, time.Now()
	for meeting, n := range counts {
		least = min(least, n)
		age += ageing(s.at[meeting], now)
	}
	return served{s.total, s.calls, least, age}
}

func (s *simulated) query(w http.ResponseWriter, r *http.Request) {
	question, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	time.Sleep(s.roundTrip / 2)
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	*buffer, err = s.answer((*buffer)[:0], question)
	if err != nil {
		http.Error(w, fmt.Sprintf(`{"code":"paramsError","message":%q}`, err), http.StatusBadRequest)
		return
	}
	time.Sleep(s.roundTrip / 2)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(*buffer)))
	_, _ = w.Write(*buffer)
}
