package control_test

import (
	"fmt"
	"sync"
	"testing"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
)

// TestHintsReachAllWorkers has the one that hears pushes tell all, itself among
// them, in messages that NATS takes.
func TestHintsReachAllWorkers(t *testing.T) {
	s := natstest.Start(t)
	var mu sync.Mutex
	told := map[string]int{}
	worker := func(name string) control.Tenant {
		return control.Tenant{Name: "acme", Hinted: func(ids []string, healthy bool) {
			mu.Lock()
			defer mu.Unlock()
			told[fmt.Sprint(name, " ", healthy)]++
			told[name] += len(ids)
		}}
	}
	hears := serve(t, s, newFake(), worker("one"))
	serve(t, s, newFake(), worker("two"), control.Tenant{Name: "other"})
	var ids []string
	for n := range 2500 {
		ids = append(ids, fmt.Sprint("meeting ", n))
	}
	hears.Hinted("acme", ids, true)
	hears.Hinted("acme", nil, false)
	for _, name := range []string{"one", "two"} {
		await(t, "the hints of "+name, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return told[name] == len(ids) && told[name+" true"] == 3 && told[name+" false"] == 1
		})
	}
}
