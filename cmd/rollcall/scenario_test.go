package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall/simulator"
)

const swift = `name: swift
poll: 1s
meetings: [{conferenceId: weekly, people: [ann]}]
steps:
  - {at: 2s, act: mic_on, userId: ann}
  - {at: 4s, act: end, endStyle: status}
`

// playing runs "rollcall simulate --scenario" and gives what it says on
// standard error, line by line, its address, and later its exit code.
func playing(t *testing.T, ctx context.Context, args ...string) (notes *bufio.Scanner, url string, exited chan int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "swift.yaml")
	if err := os.WriteFile(file, []byte(swift), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stdout := io.Pipe()
	errs, stderr := io.Pipe()
	t.Cleanup(func() { _, _ = out.Close(), errs.Close() })
	p := program{
		args:   append([]string{"simulate", "--listen", "127.0.0.1:0", "--speed", "100", "--scenario", file}, args...),
		stdout: stdout, stderr: stderr, env: os.LookupEnv,
	}
	exited = make(chan int, 1)
	go func() {
		exited <- p.run(ctx)
		_ = stderr.Close()
	}()
	notes = bufio.NewScanner(errs)
	if !notes.Scan() || !strings.HasPrefix(notes.Text(), "rollcall: warning: above speed 1 ") {
		t.Fatalf("at speed 100 of polls of 1s it says %q", notes.Text())
	}
	head := bufio.NewScanner(out)
	head.Scan()
	url = regexp.MustCompile(`http://\S+`).FindString(head.Text())
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return notes, url, exited
}

// ask asks about the meeting again and again until nobody answers, or enough
// says so.
func ask(t *testing.T, url string, enough func() bool) {
	t.Helper()
	var token struct{ AccessToken string }
	credentials := fmt.Sprintf(`{"appKey":%q,"appSecret":%q}`, simulator.DefaultAppKey, simulator.DefaultAppSecret)
	if !post(t, url+"/v1.0/oauth2/accessToken", "", credentials, &token) {
		t.Error("there is no token")
	}
	var answer struct{ Infos []any }
	for !enough() && post(t, url+"/v1.0/conference/videoConferences/query", token.AccessToken, `{"conferenceIdList":["weekly"]}`, &answer) {
	}
}

func post(t *testing.T, url, token, body string, into any) bool {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	req.Header.Set("x-acs-dingtalk-access-token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false // it is gone
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into) == nil
}

func TestAScenarioEndsOnceItWasSeen(t *testing.T) {
	notes, url, exited := playing(t, t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		ask(t, url, func() bool { return false })
	}()
	var told []string
	for notes.Scan() {
		told = append(told, notes.Text())
	}
	<-asked
	if code := <-exited; code != exitDone {
		t.Errorf("it exits with %d", code)
	}
	want := "waiting until Rollcall asks about weekly\nswift begins, at speed 100\n    2s  weekly: mic_on ann\n    4s  weekly: end\n" +
		"everything has happened; waiting until Rollcall has seen it\ndone: everything was seen"
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("it tells\n%s\nwant\n%s", got, want)
	}
}

func TestAScenarioThatStaysServesOn(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	notes, url, exited := playing(t, ctx, "--stay")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for notes.Scan() {
			if strings.HasPrefix(notes.Text(), "done") {
				return
			}
		}
	}()
	ask(t, url, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	resp, err := http.Get(url + "/_sim/scenario")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var progress struct{ State string }
	if err := json.NewDecoder(resp.Body).Decode(&progress); err != nil || progress.State != "done" {
		t.Errorf("it says it is %q: %v", progress.State, err)
	}
	stop()
	if code := <-exited; code != exitDone {
		t.Errorf("stopped in order it exits with %d", code)
	}
}
