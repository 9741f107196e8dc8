//go:build unix

package endtoend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/natsproxy"
)

// crook is a DingTalk that answers badly. One of its meetings is healthy, and
// changes with each answer.
type crook struct {
	witness *witness // writes down what a patient reader can know

	mu       sync.Mutex
	step     int
	meetings map[string]listedMeeting
	queries  int
	// spoil answers a query itself where it is set; what it says is not noted.
	spoil func(rw http.ResponseWriter, r *http.Request)
	// render says how a meeting is written, where it is not as usual; known
	// tells whether its state can be read from that.
	render map[string]func(m listedMeeting) (text string, known bool)
	extra  string // entries beside those that were asked for
}

const healthy, victim = "healthy", "victim"

func (c *crook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/accessToken"):
		c.witness.note("crook", r.URL.Path, time.Now(), http.StatusOK, []byte(`{"accessToken":"crooked-token-4711","expireIn":7200}`))
		fmt.Fprint(rw, `{"accessToken":"crooked-token-4711","expireIn":7200}`)
	case strings.HasSuffix(r.URL.Path, "/query"):
		c.query(rw, r)
	default: // every meeting that is looked up goes on
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		text, _ := json.Marshal(map[string]any{"confInfo": map[string]any{
			"conferenceId": id, "status": 2, "externalLinkUrl": "https://meet.example/app?token=join-token-4711",
		}})
		c.witness.note("crook", r.URL.Path, time.Now(), http.StatusOK, text)
		_, _ = rw.Write(text)
	}
}

func (c *crook) query(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if c.spoil != nil {
		c.spoil(rw, r)
		return
	}
	asked := time.Now()
	c.change()
	ids, err := decode[struct{ ConferenceIDList []string }](body)
	if err != nil {
		c.witness.t.Errorf("the question is no JSON: %v", err)
	}
	a := answer{door: "crook", says: map[string]state{}}
	var infos []string
	for _, id := range ids.ConferenceIDList {
		m, ok := c.meetings[id]
		if !ok {
			continue
		}
		text, known := plainly(m)
		if render := c.render[id]; render != nil {
			text, known = render(m)
		}
		if infos = append(infos, text); known {
			a.says[id] = m.state()
		}
	}
	fmt.Fprintf(rw, `{"infos":[%s]}`, strings.Join(infos, ",")+c.extra)
	c.witness.keep(a, asked)
}

// change lets somebody come to the healthy meeting or leave it.
func (c *crook) change() {
	c.step++
	m := c.meetings[healthy]
	who := fmt.Sprintf("u%d", c.step%5)
	list := slices.DeleteFunc(slices.Clone(m.UserList), func(p listedPerson) bool { return p.UserID == who })
	if len(list) == len(m.UserList) {
		list = append(list, listedPerson{UserID: who, Nick: "n " + who, AttendStatus: 3, MicStatus: 1 + c.step%2, CameraStatus: 1})
	}
	m.UserList = list
	c.meetings[healthy] = m
}

// plainly writes a meeting as DingTalk does.
func plainly(m listedMeeting) (string, bool) {
	users := []map[string]any{}
	for _, p := range m.UserList {
		users = append(users, map[string]any{
			"userId": p.UserID, "nick": p.Nick, "attendStatus": p.AttendStatus, "micStatus": p.MicStatus,
			"cameraStatus": p.CameraStatus, "rejectDescription": p.RejectDescription,
		})
	}
	text, _ := json.Marshal(map[string]any{
		"conferenceId": m.ConferenceID, "title": m.Title, "startTime": m.StartTime, "status": m.Status,
		"mediaStatus": m.MediaStatus, "userList": users,
	})
	return string(text), true
}

// wrongly writes a text in the place of the victim's entry that tells nothing.
func wrongly(text string) func(listedMeeting) (string, bool) {
	return func(listedMeeting) (string, bool) { return text, false }
}

// inStrings writes every number as a string, which can be read all the same.
func inStrings(m listedMeeting) (string, bool) {
	text, known := plainly(m)
	return regexp.MustCompile(`"(startTime|status|mediaStatus|attendStatus|micStatus|cameraStatus)":(\d+)`).ReplaceAllString(text, `"$1":"$2"`), known
}

func says(status int, kind, text string) func(http.ResponseWriter, *http.Request) {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	}
}

// half announces more than it sends.
func half(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Length", "5000")
	_, _ = io.WriteString(rw, `{"infos":[{"conferenceId":"healthy","title":"T","status":2,"userList":[{"userId":"`)
	panic(http.ErrAbortHandler)
}

// slowly answers when nobody listens any more.
func slowly(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// drip sends a byte at a time, and never ends.
func drip(rw http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(rw, "["); err != nil {
			return
		}
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// huge sends more than anybody would want.
func huge(size int) func(http.ResponseWriter, *http.Request) {
	return func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"infos":[`)
		for sent := 0; sent < size; {
			n, err := io.WriteString(rw, strings.Repeat(`{"conferenceId":"healthy","userList":[[[[]]]]},`, 1000))
			if err != nil {
				return
			}
			sent += n
		}
	}
}

// nastyIDs are ids that somebody could choose to hurt a bus, a path or a log.
func nastyIDs() []string {
	return []string{
		"a.b.>", "*", ">", "a b", "会议 室", "%41", "A", "$SYS.x", "\"}]}", "../../x", "\u202egnp", "null", "a\x00b", "a\r\nb: c",
		strings.Repeat("长", 85) + "!",
	}
}

func nastyPeople() []listedPerson {
	var people []listedPerson
	for i, text := range []string{
		"<script>alert(1)</script>", "\u202egnp.exe", "a\x00b\x1b[31m\r\n", strings.Repeat("very long ", 100), "anon:Guest#1", "*.>", "{{.}} ${x} %s%n",
	} {
		people = append(people,
			listedPerson{UserID: text[:min(len(text), 256)], Nick: text, AttendStatus: 1 + i%3, MicStatus: 2, CameraStatus: i % 3},
			listedPerson{Nick: text, AttendStatus: 3, MicStatus: 1 + i%2, CameraStatus: 1})
	}
	return people
}

func TestLongHostileAnswers(t *testing.T) {
	long(t)
	t.Parallel()
	c := &crook{meetings: map[string]listedMeeting{}, render: map[string]func(listedMeeting) (string, bool){}}
	ids := []string{healthy, victim}
	for _, id := range ids {
		c.meetings[id] = listedMeeting{ConferenceID: id, Title: "T", StartTime: 1763862000000, Status: 2}
	}
	for _, id := range nastyIDs() {
		ids = append(ids, id)
		c.meetings[id] = listedMeeting{ConferenceID: id, Title: id + "<b>&", StartTime: 1763862000007, Status: 2, UserList: nastyPeople()[:4]}
	}
	w := &world{t: t, secret: "crooked-secret-4711", broker: startBroker(t), sim: &simulated{ids: ids, process: &process{err: newTranscript()}}}
	w.witness = newWitness(t, "")
	c.witness = w.witness
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	w.proxy = natsproxy.Start(t, w.broker.addr)
	w.conn, w.js = w.broker.connect()
	config := configure(t, "a", w.secret, server.URL, w.proxy.URL(), ids)
	site := &site{w: w, name: "a", config: edited(t, config, "timeout: 5s", "timeout: 1s")}
	p := site.start()
	w.listen()
	c.healthyGoesOn(t, p, "before anything")

	for _, bad := range []struct {
		name  string
		spoil func(http.ResponseWriter, *http.Request)
	}{
		{"garbage", says(200, "application/json", "\x00\xff\xfe{]garbage")},
		{"empty", says(200, "application/json", "")},
		{"half", half},
		{"half as if whole", says(200, "application/json", `{"infos":[{"conferenceId":"healthy","title":"T","status":2,"userList":[`)},
		{"502 with HTML", says(502, "text/html", "<html><h1>Bad Gateway</h1></html>")},
		{"500", says(500, "application/json", `{"code":"systemError","message":"x","requestid":"r"}`)},
		{"null", says(200, "application/json", "null")},
		{"a list", says(200, "application/json", "[1,2,3]")},
		{"infos is a text", says(200, "application/json", `{"infos":"none"}`)},
		{"slow", slowly},
		{"dripping", drip},
		{"huge", huge(80 << 20)},
		{"deep", says(200, "application/json", `{"infos":`+strings.Repeat("[", 200_000))},
		{"another code of success", says(204, "application/json", "")},
		{"a redirect", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://127.0.0.1:9/", http.StatusFound)
		}},
	} {
		c.set(func() { c.spoil = bad.spoil })
		c.answered(t, p, bad.name, 2)
		c.set(func() { c.spoil = nil })
		c.healthyGoesOn(t, p, bad.name)
	}

	for name, render := range map[string]func(listedMeeting) (string, bool){
		"numbers as strings": inStrings,
		"nulls":              wrongly(`{"conferenceId":"victim","title":null,"startTime":null,"status":null,"mediaStatus":null,"userList":null}`),
		"nothing":            wrongly(`{"conferenceId":"victim"}`),
		"wrong types":        wrongly(`{"conferenceId":"victim","title":[],"startTime":{},"status":"soon","mediaStatus":true,"userList":"all"}`),
		"wrong people":       wrongly(`{"conferenceId":"victim","userList":[null,7,"x",[],{"userId":{}}]}`),
		"an id without end":  wrongly(`{"conferenceId":"victim","userList":[{"userId":"` + strings.Repeat("x", 100_000) + `","attendStatus":3}]}`),
		"unknown codes":      wrongly(`{"conferenceId":"victim","status":99,"mediaStatus":null}`),
		"twice":              func(m listedMeeting) (string, bool) { text, known := plainly(m); return text + "," + text, known },
		"null for an entry":  func(m listedMeeting) (string, bool) { text, known := plainly(m); return text + ",null,[],7", known },
	} {
		c.set(func() { c.render[victim] = render })
		c.healthyGoesOn(t, p, name)
		c.set(func() { delete(c.render, victim) })
	}

	var crowd []string
	for n := range 20_000 {
		crowd = append(crowd, fmt.Sprintf(`,{"conferenceId":"stranger%d","title":"not asked for","status":2,"userList":[]}`, n))
	}
	c.set(func() { c.extra = strings.Join(crowd, "") })
	c.healthyGoesOn(t, p, "meetings that were not asked for")
	c.set(func() { c.extra = "" })

	m := c.meetings[victim]
	m.UserList, m.Title = nastyPeople(), nastyPeople()[3].Nick
	c.set(func() { c.meetings[victim] = m })
	c.healthyGoesOn(t, p, "nasty people")

	w.quietCrook(c)
	v := w.verdict()
	v.whole(w.witness.seen(), 0, len(w.witness.seen()))
	for id := range v.courses {
		if !slices.Contains(ids, id) {
			t.Errorf("there are events of %q, which nobody asked about", id)
		}
	}
	v.report(t)
}

// TestLongBlockedAddress answers as the firewall does; the worker waits in
// peace, and says why.
func TestLongBlockedAddress(t *testing.T) {
	long(t)
	t.Parallel()
	for name, spoil := range map[string]func(http.ResponseWriter, *http.Request){
		"a page": says(200, "text/html", "<html>blocked</html>"),
		"x5":     says(200, "application/json", `{"status":1111,"source":"x5","punish":"deny"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/accessToken") {
					says(200, "application/json", `{"accessToken":"t","expireIn":7200}`)(rw, r)
					return
				}
				spoil(rw, r)
			}))
			t.Cleanup(server.Close)
			p := run(t, configure(t, "blocked", "secret", server.URL, "", []string{"c1"}))
			eventually(t, "it says that its address is blocked", func() bool { return p.err.has("block") || !p.alive() })
			if !p.alive() {
				t.Fatalf("it left:\n%s", p.err)
			}
			p.stop()
		})
	}
}

func (c *crook) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *crook) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queries
}

// answered waits until n more queries were answered, and the worker lives.
func (c *crook) answered(t *testing.T, p *worker, what string, n int) {
	t.Helper()
	from := c.count()
	eventually(t, what+": the worker asks on", func() bool { return c.count() >= from+n || !p.alive() })
	if !p.alive() {
		t.Fatalf("%s: the worker is gone", what)
	}
}

// healthyGoesOn waits until changes of the healthy meeting are recorded that
// were answered from now on.
func (c *crook) healthyGoesOn(t *testing.T, p *worker, what string) {
	t.Helper()
	c.answered(t, p, what, 1)
	from := len(c.witness.seen())
	eventually(t, what+": the healthy meeting goes on", func() bool {
		now := p.site.w.recorded(healthy)
		return !p.alive() || slices.ContainsFunc(c.witness.seen()[from:], func(a answer) bool {
			said, ok := a.says[healthy]
			return ok && reflect.DeepEqual(said, now)
		})
	})
	if !p.alive() {
		t.Fatalf("%s: the worker is gone", what)
	}
}

// quietCrook lets nothing change any more.
func (w *world) quietCrook(c *crook) {
	c.set(func() { c.spoil = slowly })
}

// keep writes down an answer that was given now.
func (w *witness) keep(a answer, asked time.Time) {
	a.asked, a.served = asked, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries[a.door]++
	w.answers = append(w.answers, a)
}
