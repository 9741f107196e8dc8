//go:build unix

package endtoend_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// witness stands between the workers and DingTalk, and writes down what was
// answered. The world is looked at by one question after the other, so that
// the order of the answers is that of the states they show.
type witness struct {
	t        testing.TB
	upstream string // http://127.0.0.1:9099
	looking  sync.Mutex

	mu      sync.Mutex
	answers []answer
	queries map[string]int // batch queries answered, by door
	calls   int64          // that DingTalk counts: all but those for a token
	secrets map[string]bool
	paused  chan struct{} // closed: questions are let through
	held    int           // questions that wait while paused
	before  func(door string) (abort bool)
	after   func(ctx context.Context, door string)
	// swell changes what a batch query is answered, before it is noted; nil: nothing.
	swell func(said []byte) []byte
}

func newWitness(t testing.TB, upstream string) *witness {
	open := make(chan struct{})
	close(open)
	return &witness{t: t, upstream: upstream, queries: map[string]int{}, secrets: map[string]bool{}, paused: open}
}

// door gives the address under which one worker asks.
func (w *witness) door(name string) string {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.serve(name, rw, r) }))
	w.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// pause holds every question back; resume lets them through again.
func (w *witness) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = make(chan struct{})
}

func (w *witness) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.paused)
}

func (w *witness) hold(by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held += by
}

// rest holds every question back, and waits until one is held: then whoever
// asked has taken in all answers before it.
func (w *witness) rest() {
	w.t.Helper()
	w.pause()
	eventually(w.t, "a question is held back", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.held > 0
	})
}

// hooks are called with each batch query: before the world is looked at, which
// can be averted, and when its answer is here and has not been handed on. nil: none.
func (w *witness) hooks(before func(door string) (abort bool), after func(ctx context.Context, door string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after = before, after
}

func (w *witness) serve(door string, rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	paused, before, after := w.paused, w.before, w.after
	w.mu.Unlock()
	query := strings.HasSuffix(r.URL.Path, "/videoConferences/query")
	if query && before != nil && before(door) {
		panic(http.ErrAbortHandler) // breaks the connection, and says no more
	}
	body, err := io.ReadAll(r.Body) // first: until then nobody notices that the caller is gone
	if err != nil {
		return
	}
	w.count(r.URL.Path)
	w.hold(1)
	select {
	case <-paused:
		w.hold(-1)
	case <-r.Context().Done():
		w.hold(-1)
		return
	}
	response, said, err := w.look(door, r, body)
	if err != nil {
		panic(http.ErrAbortHandler) // as DingTalk broke the connection to us, so we break ours
	}
	if query && after != nil {
		after(r.Context(), door)
	}
	rw.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	rw.WriteHeader(response.StatusCode)
	_, _ = rw.Write(said)
}

// look asks the world and writes the answer down.
func (w *witness) look(door string, r *http.Request, body []byte) (*http.Response, []byte, error) {
	w.looking.Lock()
	defer w.looking.Unlock()
	asked := time.Now()
	request, err := http.NewRequestWithContext(r.Context(), r.Method, w.upstream+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.Header.Clone()
	request.Header.Del("Accept-Encoding")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if w.swell != nil && strings.HasSuffix(r.URL.Path, "/videoConferences/query") && response.StatusCode == http.StatusOK {
		said = w.swell(said)
	}
	w.note(door, r.URL.Path, asked, response.StatusCode, said)
	return response, said, nil
}

// note writes down what an answer says.
func (w *witness) note(door, path string, asked time.Time, status int, said []byte) {
	a := answer{door: door, asked: asked, served: time.Now(), says: map[string]state{}}
	query := strings.HasSuffix(path, "/videoConferences/query")
	if status == http.StatusOK && query {
		for _, m := range w.listed(said) {
			a.says[m.ConferenceID] = m.state()
		}
	}
	if id, ok := endedMeeting(status, said); ok {
		a.says[id] = over()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, secret := range secretsIn(said) {
		w.secrets[secret] = true
	}
	if query {
		w.queries[door]++
	}
	if len(a.says) > 0 {
		w.answers = append(w.answers, a)
	}
}

func (w *witness) listed(said []byte) []listedMeeting {
	body, err := decode[struct{ Infos []listedMeeting }](said)
	if err != nil {
		w.t.Errorf("the witness cannot read an answer: %v", err)
	}
	return body.Infos
}

// endedMeeting reads the answer of the single-meeting query, if it is one that
// tells an end.
func endedMeeting(status int, said []byte) (string, bool) {
	body, err := decode[struct {
		ConfInfo *struct {
			ConferenceID string
			Status       int
		}
	}](said)
	if err != nil || status != http.StatusOK || body.ConfInfo == nil || body.ConfInfo.Status != 1 {
		return "", false
	}
	return body.ConfInfo.ConferenceID, true
}

// secretsIn gives the tokens that an answer holds: of access and of joining.
func secretsIn(said []byte) []string {
	var found []string
	for _, m := range regexp.MustCompile(`"access_?[tT]oken":"([^"]+)"|[?&]token=([^"&]+)`).FindAllSubmatch(said, -1) {
		found = append(found, string(m[1])+string(m[2]))
	}
	return found
}

// seen gives the answers so far.
func (w *witness) seen() []answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.answers)
}

// asked is how many batch queries were answered through the door; "" for all.
func (w *witness) asked(door string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for name, count := range w.queries {
		if door == "" || name == door {
			n += count
		}
	}
	return n
}

// count counts a call as DingTalk may, whether or not an answer comes of it.
func (w *witness) count(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !strings.HasSuffix(path, "/accessToken") {
		w.calls++
	}
}

// metered is how many calls DingTalk has counted.
func (w *witness) metered() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// forbidden are the tokens that must not be seen anywhere.
func (w *witness) forbidden() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for secret := range w.secrets {
		all = append(all, secret)
	}
	return all
}
