package dingtalk

import (
	"net/http"
	"net/url"

	"rollcall/poller"
)

// How much of DingTalk's texts a fault keeps, in bytes.
const (
	maxMessage = 256
	maxCode    = 128
)

// classOfNetwork is the class of every call without a whole answer.
const classOfNetwork = poller.ClassTransient

// refusal returns the fault of an answer whose status is not success, or nil.
func (x *exchange) refusal(a answer) error {
	switch a.status / 100 {
	case 2:
		return nil
	case 3:
		return x.fault(a, "DingTalk redirects to host "+x.redirectHost(a.header)+", which is not followed; check the endpoint")
	}
	return x.fault(a, "")
}

func (x *exchange) redirectHost(h http.Header) string {
	target, err := url.Parse(h.Get("Location"))
	if err != nil || target.Host == "" {
		return "(not named)"
	}
	return x.redactor.clean(target.Host, maxCode)
}

// refused returns the fault of an answer that itself says that the call failed;
// nil if it does not. empty means that it says nothing more.
func (x *exchange) refused(a answer, empty bool) error {
	if c := readErrorBody(a.header.Get("Content-Type"), a.body); c.tells(empty) {
		return x.fault(a, "")
	}
	return nil
}

// fault makes a fault of an answer; detail is our own word on it, where the
// answer has none.
func (x *exchange) fault(a answer, detail string) *Fault {
	c := readErrorBody(a.header.Get("Content-Type"), a.body)
	r := classify(a.status, c)
	if a.op == opToken || a.op == opGateway {
		r = r.ofToken(a.status)
		r.fix = x.fixEndpoint(r.fix, r.class)
	}
	if a.op == opGateway && r.class == poller.ClassPermission {
		r.fix = fixStream
	}
	if c.requestID == "" {
		c.requestID = headerRequestID(a.header)
	}
	f := &Fault{
		Operation: string(a.op),
		Status:    a.status,
		Code:      x.redactor.clean(c.shownCode(), maxCode),
		Message:   x.redactor.clean(c.message, maxMessage),
		RequestID: x.redactor.clean(c.requestID, maxCode),
		Detail:    detail,
		Fix:       r.fix,
		class:     r.class,
		wait:      retryAfter(a.header, x.now()),
		doubtful:  !c.x5,
	}
	for _, scope := range c.scopes {
		f.Scopes = append(f.Scopes, x.redactor.clean(scope, maxCode))
	}
	if r.toMinute && f.wait == 0 {
		f.wait = untilMinute(x.now())
	}
	return f
}
