package chat

import (
	"fmt"
	"slices"
)

// FaultKind is a way to misbehave.
type FaultKind string

// The faults. What a service answers is in its file.
const (
	Throttle FaultKind = "throttle"  // over the limit; DingTalk blocks the robot for ten minutes
	Refuse   FaultKind = "refuse"    // the security check fails
	Gone     FaultKind = "gone"      // the robot was removed
	Break    FaultKind = "break"     // a fault of the service
	TooLarge FaultKind = "too_large" // whatever the size
	Garble   FaultKind = "garble"    // status 200 and a page of HTML
	Abort    FaultKind = "abort"     // status 400 and webhook-delivery: abort-message
	Timeout  FaultKind = "timeout"   // not shown, and never answered
	HangUp   FaultKind = "hang_up"   // not shown, and the connection closed without an answer
	Drop     FaultKind = "drop"      // shown, and the connection closed without an answer
	Redirect FaultKind = "redirect"  // to another address
)

// FaultKinds lists them.
func FaultKinds() []FaultKind {
	return []FaultKind{Throttle, Refuse, Gone, Break, TooLarge, Garble, Abort, Timeout, HangUp, Drop, Redirect}
}

// Fault makes robots misbehave.
type Fault struct {
	Kind    FaultKind `json:"fault"`
	Service string    `json:"service"` // "": any
	Robot   string    `json:"robot"`   // "": any
	Times   int       `json:"times"`   // 0: until ClearFaults
}

// Misbehave adds a fault; the one that was added first strikes first.
func (c *Chat) Misbehave(f Fault) error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("fault %q: allowed are %v", f.Kind, FaultKinds())
	}
	if f.Service != "" && !slices.Contains(Services(), f.Service) {
		return fmt.Errorf("service %q: allowed are %v", f.Service, Services())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f)
	return nil
}

// ClearFaults ends all misbehaviour; a robot that is blocked stays so.
func (c *Chat) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// strike returns the fault that a request meets, and uses it up.
func (c *Chat) strike(r *robot) FaultKind {
	for i, f := range c.faults {
		if f.Service != "" && f.Service != r.Service || f.Robot != "" && f.Robot != r.Name {
			continue
		}
		if f.Times == 1 {
			c.faults = slices.Delete(c.faults, i, i+1)
		} else if f.Times > 1 {
			c.faults[i].Times--
		}
		return f.Kind
	}
	return ""
}
