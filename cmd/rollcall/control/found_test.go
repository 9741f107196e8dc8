package control_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
)

// TestWhatOneWorkerFindsAllAreTold has a list of usual length told whole, and a
// long one in parts that say nothing about what they leave out.
func TestWhatOneWorkerFindsAllAreTold(t *testing.T) {
	s := natstest.Start(t)
	one, two := newFake(), newFake()
	finder := serve(t, s, one, control.Tenant{Name: "acme"}, control.Tenant{Name: "other"})
	serve(t, s, two, control.Tenant{Name: "acme"}, control.Tenant{Name: "other"})
	var ids []string
	for n := range 2500 {
		ids = append(ids, fmt.Sprint("meeting ", n))
	}
	for _, found := range []struct {
		listed, gone int
		own          string
		others       map[string]int
	}{
		{2, 1, "found organization +2 -1 true", map[string]int{"found organization +2 -1 true": 1}},
		{2500, 1, "found organization +2500 -1 true", map[string]int{
			"found organization +1000 -0 false": 2, "found organization +500 -0 false": 1, "found organization +0 -1 false": 1,
		}},
	} {
		if err := finder.Found(t.Context(), "acme", "organization", ids[:found.listed], ids[:found.gone], true); err != nil {
			t.Fatal(err)
		}
		for order, times := range found.others {
			for late := time.After(time.Minute); two.count(order) < times; {
				select {
				case <-late:
					t.Fatalf("the other was told %q %d times", order, two.count(order))
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
		if n := one.count(found.own); n != 1 {
			t.Errorf("the finder itself was told %d times", n)
		}
	}
	one.set(func() {
		if len(one.orders) != 2 {
			t.Errorf("the finder itself was told %v", one.orders)
		}
	})
	if tracked, looks := finder.Busy("acme"); tracked != 1 || !looks {
		t.Errorf("busy is %d, %v", tracked, looks)
	}
}
