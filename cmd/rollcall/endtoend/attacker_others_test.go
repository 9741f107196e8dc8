//go:build unix

package endtoend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// operatorAttacks are what somebody tries who may publish to the API alone.
func operatorAttacks() []func(*attacker, context.Context) {
	flood := (*attacker).floods
	return []func(*attacker, context.Context){(*attacker).asksElsewhere, (*attacker).asksNonsense, flood, flood, flood, flood, flood, flood, flood, flood}
}

func (a *attacker) asksElsewhere(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	for _, verb := range []string{"list", "show", "track", "untrack"} {
		for _, to := range ledgerSubjects() {
			a.tries("ask for an answer on a subject of the ledger")
			_ = conn.PublishRequest("rollcall.MEETINGS.api.acme."+verb, to, []byte(`{"conferenceId":"nobody knows it"}`))
		}
	}
	_ = conn.Flush()
	pause(ctx, 200*time.Millisecond)
}

func (a *attacker) asksNonsense(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	for _, verb := range []string{"list", "show", "track", "untrack", "nothing"} {
		for _, body := range []string{
			"", "null", "[]", "{", `{"conferenceId":7}`, `{"conferenceId":""}`, `{"conferenceId":" x "}`, `{"conferenceId":"a","conferenceId":"b"}`,
			`{"ConferenceId":"a"}`, "\xff\xfe", strings.Repeat("[", 100_000), `{"conferenceId":"` + strings.Repeat("x", 3<<20) + `"}`,
		} {
			a.tries("ask what is no question")
			answer, err := conn.Request("rollcall.MEETINGS.api.acme."+verb, []byte(body), 2*time.Second)
			if err == nil && verb != "list" && answer.Header.Get("Nats-Service-Error-Code") == "" {
				a.wins("%s of %.40q is answered %.100s", verb, body, answer.Data)
			}
		}
	}
	pause(ctx, 200*time.Millisecond)
}

// floods tracks meetings that nobody knows, under names that mean something to
// a bus, a path, a terminal or a log.
func (a *attacker) floods(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	for _, id := range []string{
		"*", ">", "a.b.>", "evil-*", "%3E", "a\x00b", "a\r\nNats-Rollup: all", "\x1b[2J", "../../etc/passwd", "{\"}", "\u202egnp", strings.Repeat("长", 85),
	} {
		a.tries("track a meeting that nobody knows")
		body, _ := json.Marshal(map[string]string{"conferenceId": fmt.Sprintf("%.200s%d", id, time.Now().UnixNano())})
		if _, err := conn.Request("rollcall.MEETINGS.api.acme.track", body, 5*time.Second); err != nil || ctx.Err() != nil {
			return
		}
	}
}

// strangerAttacks are what somebody tries who was invited to a meeting.
func strangerAttacks() []func(*attacker, context.Context) {
	return []func(*attacker, context.Context){(*attacker).renamesItself, (*attacker).renamesTheMeeting}
}

// hostileNames are written to hurt whoever shows them.
func hostileNames() []string {
	return []string{
		"<script>alert(1)</script>", "\u202egnp.exe", "a\x00b\x1b[2J\r\nx", strings.Repeat("very long ", 500), "anon:Guest#1", "*.>", "{{.}} ${x} %s%n",
		`","attendStatus":3},{"userId":"evil"`, "\xff\xfe", "[link](https://meet.example/app)", "",
	}
}

// renamesItself comes without an id, goes, and comes under another name.
func (a *attacker) renamesItself(ctx context.Context) {
	names := hostileNames()
	nick := fmt.Sprintf("%s %d", names[time.Now().UnixNano()%int64(len(names))], time.Now().UnixNano())
	a.tries("come without an id, under another name")
	a.acts(map[string]any{"act": "join", "conferenceId": renamers, "nick": nick})
	pause(ctx, 10*time.Millisecond)
	a.acts(map[string]any{"act": "leave", "conferenceId": renamers, "nick": nick, "drop": true})
}

func (a *attacker) renamesTheMeeting(ctx context.Context) {
	for _, title := range hostileNames() {
		a.tries("give the meeting a title")
		a.acts(map[string]any{"act": "rename", "conferenceId": renamers, "title": title + "!"})
		pause(ctx, time.Second)
	}
}

func (a *attacker) acts(act map[string]any) {
	body, _ := json.Marshal(act)
	response, err := http.Post(a.Simulator+"/_sim/act", "application/json", bytes.NewReader(body))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

// crowdOf is DingTalk's answer about a meeting of thousands who all have one
// name and no id, and of whom some come and go with each look.
type crowdOf struct{ looks int }

func newCrowd() *crowdOf { return &crowdOf{} }

// swell puts the crowd into an answer.
func (c *crowdOf) swell(said []byte) []byte {
	body, err := decode[struct{ Infos []json.RawMessage }](said)
	if err != nil {
		return said
	}
	c.looks++
	for i, info := range body.Infos {
		if m, err := decode[listedMeeting](info); err == nil && m.ConferenceID == crowd {
			for n := range 7950 + c.looks%50 {
				m.UserList = append(m.UserList, listedPerson{Nick: "Guest", AttendStatus: 3, MicStatus: 1 + (n+c.looks)%500/499, CameraStatus: 1})
			}
			text, _ := plainly(m)
			body.Infos[i] = json.RawMessage(text)
		}
	}
	swollen, err := json.Marshal(map[string]any{"infos": body.Infos})
	if err != nil {
		return said
	}
	return swollen
}

// clientAttacks are what somebody tries who reaches the health port.
func clientAttacks() []func(*attacker, context.Context) {
	return []func(*attacker, context.Context){(*attacker).idles, (*attacker).dawdles, (*attacker).lies}
}

// hold opens connections to the health port, and keeps them for a while.
func (a *attacker) hold(ctx context.Context, n int, first string) {
	var all []net.Conn
	for range n {
		conn, err := net.DialTimeout("tcp", a.HTTP, time.Second)
		if err != nil {
			break
		}
		_, _ = conn.Write([]byte(first))
		all = append(all, conn)
	}
	for range 8 { // a byte at a time
		pause(ctx, time.Second)
		for _, conn := range all {
			_, _ = conn.Write([]byte("X"))
		}
	}
	for _, conn := range all {
		conn.Close()
	}
}

func (a *attacker) idles(ctx context.Context) {
	a.tries("300 connections that ask once and stay")
	a.hold(ctx, 300, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

func (a *attacker) dawdles(ctx context.Context) {
	a.tries("100 connections with a header that does not end")
	a.hold(ctx, 100, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-")
}

// lies asks under names that are not the worker's.
func (a *attacker) lies(ctx context.Context) {
	for _, host := range []string{"evil.example", "evil.example:8080", "127.0.0.1.evil.example"} {
		a.tries("ask under another's name")
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.HTTP+"/metrics", http.NoBody)
		if err != nil {
			return
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusMisdirectedRequest {
			a.wins("under the name %s it is answered %s", host, response.Status)
		}
	}
	pause(ctx, 100*time.Millisecond)
}
