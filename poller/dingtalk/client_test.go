package dingtalk

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rollcall/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The secrets of the tests; none of them may ever be seen.
const (
	theSecret = "s3cret/«of+the&app»"
	theToken  = "t0ken.of-the_app"
)

func fixed(value string) Secret {
	return func() (secret.String, error) { return secret.New(value), nil }
}

func internalApp() Auth {
	return Auth{Kind: KindInternal, ClientID: "dingid", ClientSecret: fixed(theSecret)}
}

// station is DingTalk with two ears: one for tokens, one for the rest.
type station struct {
	*httptest.Server
	logs *observer.ObservedLogs

	mu     sync.Mutex
	tokens int // requests for one
	calls  int
}

func (s *station) count(n *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
	return *n
}

func giveToken(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"accessToken":"` + theToken + `","expireIn":7200}`))
}

// serve gives a client of a server whose API answers as told.
func serve(t *testing.T, api http.HandlerFunc) (*Client, *station) {
	t.Helper()
	return serveBoth(t, giveToken, api)
}

func serveBoth(t *testing.T, tokens, api http.HandlerFunc) (*Client, *station) {
	t.Helper()
	s := &station{}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1.0/oauth2/", func(w http.ResponseWriter, r *http.Request) {
		s.count(&s.tokens)
		tokens(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.count(&s.calls)
		api(w, r)
	})
	s.Server = httptest.NewServer(mux)
	core, logs := observer.New(zapcore.DebugLevel)
	s.logs = logs
	client, err := New(Config{Endpoint: s.URL, Auth: internalApp(), Logger: zap.New(core), Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		s.Close()
	})
	return client, s
}

// says answers every call the same way.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestQuery(t *testing.T) {
	body, ids := batch(3, 2)
	client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1.0/conference/videoConferences/query" {
			t.Errorf("asked %s %s", r.Method, r.URL.Path)
		}
		if r.Header["X-Acs-Dingtalk-Access-Token"][0] != theToken || r.UserAgent() != "rollcall" {
			t.Errorf("headers %v", r.Header)
		}
		_, _ = w.Write(body)
	})
	for range 2 {
		got, err := client.Query(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Found) != 3 || !got.Complete {
			t.Errorf("got %d meetings, complete %v", len(got.Found), got.Complete)
		}
		if answer := client.Decode(got.Found[0].Raw); len(answer.Entries) != 2 || answer.Entries[1].UserID == "" {
			t.Errorf("decoded %+v", answer)
		}
	}
	if s.tokens != 1 || s.calls != 2 {
		t.Errorf("%d tokens, %d calls", s.tokens, s.calls)
	}
}

// TestAnswersOutliveTheirBody asks twice: the second body may lie where the
// first one lay.
func TestAnswersOutliveTheirBody(t *testing.T) {
	title := "first"
	client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"infos":[{"conferenceId":"a","title":"` + title + `"},{"conferenceId":"b"}]}`))
	})
	ids := []string{"a", "b"}
	first, err := client.Query(t.Context(), ids)
	if err != nil || !first.Detached {
		t.Fatalf("detached %v: %v", first.Detached, err)
	}
	known := [][]byte{first.Found[0].Raw, first.Found[1].Raw}
	title = "other"
	for range 10 {
		second, err := client.Refresh(t.Context(), ids, known)
		if err != nil || string(second.Found[0].Raw) != `{"conferenceId":"a","title":"other"}` {
			t.Fatalf("then %s: %v", second.Found[0].Raw, err)
		}
		if a := second.Found[0].Answer; a == nil || a.Title != "other" || second.Found[1].Answer != nil || first.Found[0].Answer.Title != "first" {
			t.Fatalf("decoded %+v", second.Found)
		}
		if &second.Found[1].Raw[0] != &known[1][0] || string(known[0]) != `{"conferenceId":"a","title":"first"}` {
			t.Fatalf("of the first answer %s is left, and the same bytes are held twice", known)
		}
	}
}
