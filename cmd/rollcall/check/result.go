package check

import (
	"fmt"
	"strings"
	"time"

	"rollcall/internal/safetext"
)

// Verdict is the first word of a result.
type Verdict string

// The verdicts.
const (
	OK   Verdict = "ok"   // it works
	Warn Verdict = "warn" // it works, and is worth a look
	Fail Verdict = "fail" // a worker could not work
	Skip Verdict = "skip" // it was not tried
)

// Result is what one check has found. Its texts are safe to show.
type Result struct {
	Verdict Verdict
	Part    string // dingtalk, forward, local or nats
	Tenant  string // whose, of what is about DingTalk; "" otherwise
	Check   string // the check's name, one word
	Tried   string // what was tried
	Found   string // what came back, or why it was not tried
	Fix     string // what an operator can do, one way a line; "" when nothing
	Took    time.Duration
}

// Count is how many results there are of each verdict.
type Count map[Verdict]int

// String says the counts in words.
func (c Count) String() string {
	return fmt.Sprintf("%d ok, %d to look at, %d failed, %d skipped", c[OK], c[Warn], c[Fail], c[Skip])
}

func ok(tried, format string, args ...any) Result {
	return Result{Verdict: OK, Tried: tried, Found: fmt.Sprintf(format, args...)}
}

func skip(tried, format string, args ...any) Result {
	return Result{Verdict: Skip, Tried: tried, Found: fmt.Sprintf(format, args...)}
}

func fail(tried, found, fix string) Result {
	return Result{Verdict: Fail, Tried: tried, Found: found, Fix: fix}
}

func warn(tried, found, fix string) Result {
	return Result{Verdict: Warn, Tried: tried, Found: found, Fix: fix}
}

// longest is how much of a text is shown, in columns; strangers write some of them.
const longest = 2000

// safe returns the result with texts that may be shown anywhere.
func (r Result) safe() Result {
	r.Tried, r.Found = safetext.Field(r.Tried, longest), safetext.Field(r.Found, longest)
	var lines []string
	for line := range strings.SplitSeq(r.Fix, "\n") {
		lines = append(lines, safetext.Field(line, longest))
	}
	r.Fix = strings.Join(lines, "\n")
	return r
}
