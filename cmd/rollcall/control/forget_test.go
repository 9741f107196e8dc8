package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
	"rollcall/worker"
)

func (f *fake) Traces(ctx context.Context, _, user string) ([]worker.Trace, error) {
	if err := f.order(ctx, "traces", user); err != nil {
		return nil, err
	}
	return make([]worker.Trace, f.traces), nil
}

func (f *fake) Forget(ctx context.Context, _, id, user string) (worker.Trace, error) {
	return worker.Trace{ConferenceID: id, Events: 3, Recorded: true}, f.order(ctx, "forget "+user, id)
}

func (f *fake) OverwriteFiles(ctx context.Context) (int, bool, error) {
	return 7, f.traces == 0, f.order(ctx, "overwrite", "")
}

// Each step reaches the worker that can do it, and its answer comes back.
func TestForget(t *testing.T) {
	first, second := newFake(), newFake()
	none := func(string) bool { return false }
	first.holds, first.traces = none, 1001
	broker := natstest.Start(t)
	serve(t, broker, first)
	serve(t, broker, second)
	client := client(t, broker)
	for range 8 { // either worker is asked
		done, err := client.Forget(t.Context(), "u1", "c1")
		if err != nil || len(done.Meetings) != 1 || done.Meetings[0] != (control.Trace{ConferenceID: "c1", Events: 3, Recorded: true}) || done.Overwritten != nil {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	first.set(func() { first.holds = nil })
	second.set(func() { second.traces = 1001 })
	found, err := client.Traces(t.Context(), "u1")
	if err != nil || len(found.Meetings) != 1000 || !found.More {
		t.Errorf("found %d meetings, more %v, %v", len(found.Meetings), found.More, err)
	}
	if files, err := client.OverwriteFiles(t.Context(), "u1"); err != nil || files.Overwritten != nil {
		t.Errorf("files that are out of reach: %+v, %v", files, err)
	}
	for _, f := range []*fake{first, second} {
		f.set(func() { f.traces = 0 })
	}
	if files, err := client.OverwriteFiles(t.Context(), "u1"); err != nil || files.Overwritten == nil || *files.Overwritten != 7 {
		t.Errorf("files: %+v, %v", files, err)
	}
	_, err = client.Traces(t.Context(), "")
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.BadRequest || !strings.Contains(e.Message, "user") {
		t.Errorf("nobody: %v", err)
	}
}
