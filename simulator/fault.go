package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// The faults that are no error code of DingTalk's. Any code of its error table
// is the name of a fault as well.
const (
	FaultHTML      = "html"      // a page instead of JSON; Status 0: 200
	FaultX5        = "x5"        // 200, the body of a blocked address
	FaultEmpty     = "empty"     // no body; Status 0: 200
	FaultGarbage   = "garbage"   // bytes that are no JSON; Status 0: 200
	FaultTruncated = "truncated" // the first half of the answer, as if it were all
	FaultCut       = "cut"       // the first half of the answer, then the connection breaks
	FaultHuge      = "huge"      // Bytes of JSON, 0: 64 MiB
	FaultDrip      = "drip"      // the answer in twenty pieces, Delay apart, 0: 100 ms
	FaultHang      = "hang"      // nothing for Delay, 0: until the caller gives up; then the connection breaks
	FaultReset     = "reset"     // the connection is reset
	FaultLatency   = "latency"   // the answer, Delay later
)

func faultShapes() []string {
	return []string{
		FaultHTML, FaultX5, FaultEmpty, FaultGarbage, FaultTruncated, FaultCut,
		FaultHuge, FaultDrip, FaultHang, FaultReset, FaultLatency,
		FaultStrings, FaultNulls, FaultAbsent, FaultCodes, FaultForeign, FaultTwice,
	}
}

// FaultNames lists the faults that can be armed.
func FaultNames() []string {
	names := faultShapes()
	for _, r := range errorRows() {
		names = append(names, r.code)
	}
	return names
}

// Fault makes calls go wrong. Without Times and For it stays until it is
// cleared. The first armed fault that fits a call strikes it.
type Fault struct {
	Name        string        // one of [FaultNames]
	Operation   Operation     // the calls it can strike; "": all
	Times       int           // how many calls it strikes; 0: any number
	For         time.Duration // from now; 0: for good
	Probability float64       // with which it strikes a call; 0: 1
	Status      int           // HTTP, instead of that of the name
	Capitals    bool          // the error body says Code and RequestId
	RetryAfter  time.Duration // the header Retry-After in whole seconds, rounded up; 0: none
	Delay       time.Duration // see the names; with other faults the answer is that much later
	Bytes       int           // see FaultHuge
}

func (f Fault) check() error {
	names := FaultNames()
	if f.Operation == OpPush {
		names = PushFaultNames()
	}
	if !slices.Contains(names, f.Name) {
		return fmt.Errorf("fault is %q: %s is allowed", f.Name, list(names))
	}
	if err := oneOf("operation", f.Operation, operations()); err != nil {
		return err
	}
	switch {
	case f.Times < 0 || f.For < 0 || f.RetryAfter < 0 || f.Delay < 0 || f.Bytes < 0:
		return errors.New("times, for, retryAfter, delay or bytes is negative: 0 or more is allowed")
	case !(f.Probability >= 0 && f.Probability <= 1):
		return fmt.Errorf("probability is %v: a number from 0 to 1 is allowed", f.Probability)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status is %d: 200 to 599 is allowed", f.Status)
	}
	return nil
}

// armed is a fault that lies in wait.
type armed struct {
	Fault
	left  int       // calls; 0: any number
	until time.Time // zero: for good
}

// faultSet holds the armed faults in the order in which they were armed.
type faultSet struct {
	now    func() time.Time
	rng    *rand.Rand
	faults []armed
}

func newFaultSet(cfg Config) *faultSet {
	return &faultSet{now: cfg.Now, rng: cfg.chance(streamFault, 0)}
}

func (a *faultSet) arm(f Fault) {
	next := armed{Fault: f, left: f.Times}
	if f.For > 0 {
		next.until = a.now().Add(f.For)
	}
	a.faults = append(a.faults, next)
}

// strike returns the fault that strikes a call; its Name is "" for none.
func (a *faultSet) strike(op Operation) Fault {
	a.expire()
	for i := range a.faults {
		f := &a.faults[i]
		if !f.strikes(op) || f.Probability > 0 && a.rng.Float64() >= f.Probability {
			continue
		}
		struck := f.Fault
		if f.left == 1 {
			a.faults = slices.Delete(a.faults, i, i+1)
		} else if f.left > 1 {
			f.left--
		}
		return struck
	}
	return Fault{}
}

// strikes reports whether the fault is one of the operation's. One of all calls is
// none of pushes.
func (f Fault) strikes(op Operation) bool {
	return f.Operation == op || f.Operation == "" && op != OpPush
}

func (a *faultSet) expire() {
	a.faults = slices.DeleteFunc(a.faults, func(f armed) bool {
		return !f.until.IsZero() && !a.now().Before(f.until)
	})
}

// Arm makes calls go wrong from now on. An impossible fault is an error.
func (s *Simulator) Arm(f Fault) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("arm fault: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed.arm(f)
	return nil
}

// Armed lists the faults that can still strike; Times is what is left of it.
func (s *Simulator) Armed() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed.expire()
	faults := make([]Fault, 0, len(s.armed.faults))
	for _, a := range s.armed.faults {
		a.Times = a.left
		faults = append(faults, a.Fault)
	}
	return faults
}

// Disarm clears all faults.
func (s *Simulator) Disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed.faults = nil
}
