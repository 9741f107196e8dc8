package check

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// table is the checks of one part, in their order.
type table struct {
	part, tenant string
	steps        []step
}

// step is one check. It is tried when all that it needs is fine.
type step struct {
	name  string
	needs string // names of earlier steps, separated by blanks
	doing string // what it does, for those who wait
	try   func(ctx context.Context) Result
}

// walker goes through the tables and reports.
type walker struct {
	check *Check
	count Count
}

// walk tries the steps of a table until ctx ends.
func (w *walker) walk(ctx context.Context, t table) {
	fine := make(map[string]bool)
	for _, s := range t.steps {
		began := time.Now()
		result := w.step(ctx, t, s, fine)
		if ctx.Err() != nil {
			return
		}
		result.Part, result.Tenant, result.Check, result.Took = t.part, t.tenant, s.name, time.Since(began)
		fine[s.name] = result.Verdict == OK || result.Verdict == Warn
		w.count[result.Verdict]++
		w.check.Report(result.safe())
	}
}

func (w *walker) step(ctx context.Context, t table, s step, fine map[string]bool) Result {
	for need := range strings.FieldsSeq(s.needs) {
		if !fine[need] {
			return skip(s.doing, "not tried because %q is not ok", need)
		}
	}
	who := t.part
	if t.tenant != "" {
		who = t.tenant
	}
	slow := time.AfterFunc(patience, func() { w.check.Slow(who + ": " + s.doing) })
	defer slow.Stop()
	return w.bounded(ctx, s)
}

// bounded abandons a step that does not heed its deadline, such as one that
// hangs in the file system. Steps that need its result are then skipped.
func (w *walker) bounded(ctx context.Context, s step) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, w.check.Timeout, errSlow)
	defer cancel()
	done := make(chan Result, 1)
	go func() { done <- s.try(ctx) }()
	last := time.NewTimer(w.check.Timeout + grace)
	defer last.Stop()
	select {
	case result := <-done:
		return result
	case <-last.C:
		return fail(s.doing, fmt.Sprintf("nothing came back within %s", w.check.Timeout), "give it more time with --timeout, and see whether this machine is overloaded")
	}
}
