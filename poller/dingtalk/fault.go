package dingtalk

import (
	"fmt"
	"strings"
	"time"

	"rollcall/poller"
)

// operation names what was asked, as it stands in errors.
type operation string

const (
	opQuery   operation = "query meetings"
	opLookup  operation = "look up meeting"
	opOngoing operation = "list ongoing meetings"
	opMembers operation = "list the members of a meeting"
	opUser    operation = "list the ongoing meetings of a user"
	opToken   operation = "get token"
)

// Fault is a failure of DingTalk's API or of the way to it. It contains neither
// secrets nor anything a terminal could choke on. It is not changed once made.
type Fault struct {
	Operation string   // what was asked, in words: query meetings, get token …
	Status    int      // the HTTP status; 0: there was no answer
	Code      string   // DingTalk's code; "" when the answer had none
	Message   string   // DingTalk's words, at most 256 bytes
	RequestID string   // what DingTalk's support asks for
	Scopes    []string // the permissions that are missing, where DingTalk names them
	Detail    string   // our words on what was wrong with the answer
	Fix       string   // what an operator can do; "" when nothing

	class    poller.Class
	wait     time.Duration
	doubtful bool
}

// Class returns what to do about the fault.
func (f *Fault) Class() poller.Class { return f.class }

// RetryAfter returns how long DingTalk asks to wait, at most 5 minutes; 0 when it
// did not say.
func (f *Fault) RetryAfter() time.Duration { return f.wait }

// Doubtful reports, of a fault of [poller.ClassBlocked], that the block is only
// likely: a page came, which any server could have sent, and not the answer that
// only DingTalk's firewall sends.
func (f *Fault) Doubtful() bool { return f.doubtful }

// Error returns everything that is known in one sentence.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Operation, f.class)
	if f.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", f.Status)
	}
	if f.Code != "" {
		fmt.Fprintf(&b, ", code %s", f.Code)
	}
	if f.RequestID != "" {
		fmt.Fprintf(&b, ", request id %s", f.RequestID)
	}
	if f.Message != "" {
		fmt.Fprintf(&b, ", message %q", f.Message)
	}
	for _, part := range []string{f.Detail, f.missing(), f.Fix} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	return b.String()
}

func (f *Fault) missing() string {
	if len(f.Scopes) == 0 {
		return ""
	}
	return "missing permission " + strings.Join(f.Scopes, ", ")
}
