// Package verify holds a program in any language to the rules for consumers: it
// plays events to it as lines, asks who is where, and says which rule is broken.
//
// It does not itself know what is right: package consume is asked the same.
package verify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Consumer is the program that is held to the rules.
type Consumer struct {
	Command []string      // the program and its arguments
	Timeout time.Duration // for each answer
}

// Verdict is what was found about one rule.
type Verdict struct {
	Right  string // what a right program does: "who is kicked out is gone"
	Fault  string // what a wrong one does: "double counting after a kick"
	Breach string // how the program breaks the rule; "": it keeps it
}

// Verify plays each rule to the program, and reports its verdict as it is
// found. A program that breaks the first is asked nothing more, since it may
// not follow at all; to one that keeps all the scenarios are played, each with
// every fault of a stream. The error is that of a program that cannot be
// started, or of ctx.
func (c Consumer) Verify(ctx context.Context, tell func(Verdict)) (broken int, err error) {
	program := runner{consumer: c}
	defer program.stop()
	for _, part := range []func() ([]rule, error){first, rules, scenarios} {
		played, err := part()
		if err != nil || broken > 0 {
			return broken, err
		}
		for _, r := range played {
			verdict := Verdict{Right: r.right, Fault: r.fault}
			if err := program.play(ctx, r); err != nil {
				breach, ok := errors.AsType[breach](err)
				if !ok {
					return broken, err
				}
				verdict.Breach = string(breach)
				broken++
			}
			tell(verdict)
		}
	}
	return broken, nil
}

// breach is how a program breaks a rule.
type breach string

// Error says how.
func (b breach) Error() string { return string(b) }

func breachf(format string, args ...any) error { return breach(fmt.Sprintf(format, args...)) }
