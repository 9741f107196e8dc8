package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAStepThatDoesNotEndIsGivenUp(t *testing.T) { synctest.Test(t, aStepThatDoesNotEnd) }

func aStepThatDoesNotEnd(t *testing.T) {
	release := make(chan struct{})
	slow := make(chan string, 10)
	var results []Result
	c := Check{Timeout: 5 * time.Second, Slow: func(doing string) { slow <- doing }, Report: func(r Result) { results = append(results, r) }}
	w := walker{check: &c, count: Count{}}
	began := time.Now()
	w.walk(t.Context(), table{part: "nats", steps: []step{
		{"quick", "", "be quick", func(context.Context) Result { return ok("", "done") }},
		{"stuck", "quick", "get stuck", func(context.Context) Result { <-release; return ok("", "too late") }},
		{"after", "stuck", "go on", func(context.Context) Result { return ok("", "done") }},
		{"beside", "quick", "heed the deadline", func(ctx context.Context) Result { <-ctx.Done(); return fail("", context.Cause(ctx).Error(), "") }},
	}})
	close(release)
	if took := time.Since(began); took != 11*time.Second {
		t.Errorf("it took %s", took)
	}
	var verdicts []Verdict
	for _, r := range results {
		verdicts = append(verdicts, r.Verdict)
	}
	if diff := cmp.Diff([]Verdict{OK, Fail, Skip, Fail}, verdicts); diff != "" {
		t.Error(diff)
	}
	synctest.Wait()
	for _, want := range []string{"nats: get stuck", "nats: heed the deadline"} {
		if got := <-slow; got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	if len(slow) > 0 {
		t.Errorf("said too much: %q", <-slow)
	}
	if !strings.Contains(results[1].Fix, "--timeout") || results[3].Found != errSlow.Error() {
		t.Errorf("%+v", results)
	}
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := w.check()
	told := 0
	c.Report = func(r Result) {
		told++
		if r.Check == "name" {
			cancel()
		}
	}
	if _, err := c.Run(ctx); err == nil || errors.Is(err, context.Canceled) || told != 3 {
		t.Errorf("%d results, %v", told, err)
	}
}

func TestPrintedResults(t *testing.T) {
	r := Result{Verdict: Fail, Part: "dingtalk", Tenant: "acme", Check: "token", Tried: "try", Found: "found <it>\u202e", Fix: "one\ntwo\x1b[2J", Took: 1500 * time.Millisecond}
	var out bytes.Buffer
	w := newWorld(t)
	if err := NewPrinter(&out, w.cfg).Print(r.safe()); err != nil {
		t.Fatal(err)
	}
	want := "FAIL  acme: token        try: found <it>\\u202e\n" +
		"                         → one\n                         → two\\x1b[2J\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := PrintJSON(&out, r.safe()); err != nil {
		t.Fatal(err)
	}
	want = `{"verdict":"fail","part":"dingtalk","tenant":"acme","check":"token","tried":"try","found":"found <it>\\u202e","mend":"one\ntwo\\x1b[2J","tookMs":1500}` + "\n"
	if out.String() != want || !json.Valid(out.Bytes()) {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	full := Printer{Out: broken{}}
	if full.Print(r) == nil || PrintJSON(broken{}, r) == nil {
		t.Error("a full disk is not noticed")
	}
}

type broken struct{}

// Write fails.
func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestNoPasswordOfAnAddressIsShown(t *testing.T) {
	c := Check{Timeout: time.Second}
	err := errors.New("dial http://ann:" + password + "@proxy:3128: refused")
	for _, text := range []string{c.why(t.Context(), err), shorter(err)} {
		if strings.Contains(text, password) || !strings.Contains(text, "//•••@proxy:3128: refused") {
			t.Errorf("got %s", text)
		}
	}
}
