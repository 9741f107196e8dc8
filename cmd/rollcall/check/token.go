package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
)

// secret reads each secret.
func (t *tenant) secret(context.Context) Result {
	var where []string
	for _, c := range t.cfg.Credentials() {
		if _, err := c.Read(); err != nil {
			return fail(c.Key, err.Error(), "put it there, readable for the user who runs rollcall, or correct "+c.Key)
		}
		where = append(where, c.Key+" "+c.Where)
	}
	return ok("read the credentials", "%s can be read", strings.Join(where, ", "))
}

// token proves the credentials. It is not metered.
func (t *tenant) token(ctx context.Context) Result {
	tried := fmt.Sprintf("ask for a token (%s)", t.cfg.Auth.Kind)
	client, err := t.clientAt(t.cfg.Endpoint)
	if err != nil {
		return fail(tried, err.Error(), "correct the tenant's endpoint and auth")
	}
	t.client = client
	expires, err := client.CheckToken(ctx)
	if err == nil {
		return ok(tried, "valid until %s", stamp(expires))
	}
	found, fix := t.refusal(ctx, err)
	if poller.ClassOf(err) == poller.ClassToken {
		fix = t.tryElsewhere(ctx, fix) + t.suspects()
	}
	return fail(tried, found, fix)
}

func (t *tenant) clientAt(endpoint string) (*dingtalk.Client, error) {
	return dingtalk.New(dingtalk.Config{
		Endpoint: endpoint, Auth: t.cfg.Auth.DingTalk(), Timeout: min(t.cfg.Poll.Timeout, t.check.Timeout),
		Transport: t.check.Transport, Now: t.check.Now,
	})
}

// tryElsewhere asks DingTalk's other host for a token where this one refuses:
// each knows its own organizations only. It returns the fix, which otherwise is
// the usual one.
func (t *tenant) tryElsewhere(ctx context.Context, usual string) string {
	other, known := dingtalk.OtherEndpoint(t.client.Endpoint())
	if !known {
		return usual
	}
	client, err := t.clientAt(other)
	if err != nil {
		return usual
	}
	defer client.Close()
	switch _, err := client.CheckToken(ctx); {
	case err == nil:
		return "set endpoint: " + other + " for this tenant: it gives a token for the same credentials"
	case poller.ClassOf(err) == poller.ClassToken:
		return usual + "\n" + other + " was tried as well, and refuses the same credentials"
	default:
		return usual + "\n" + other + " was tried as well: " + poller.ClassOf(err).String()
	}
}

// refusal says what DingTalk has said, and what can be done about it.
func (t *tenant) refusal(ctx context.Context, err error) (found, fix string) {
	fault, is := errors.AsType[*dingtalk.Fault](err)
	if !is {
		return t.check.why(ctx, err), "try again later, or give it more time with --timeout"
	}
	found = said(fault)
	switch {
	case fault.Fix != "":
		return found, fault.Fix
	case fault.Class() == poller.ClassThrottled:
		return found, "try again in a minute: other programs ask with the same app, or another rollcall does"
	case fault.Class() == poller.ClassMalformed:
		return found, "check endpoint: it is https://api.dingtalk.io or https://api.dingtalk.com; a proxy in between may answer in its place"
	}
	return found, "try again later; DingTalk's support asks for the request id"
}

// said is what a fault says beside its fix.
func said(f *dingtalk.Fault) string {
	parts := []string{f.Class().String()}
	if f.Status != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", f.Status))
	}
	for _, part := range []struct{ label, text string }{
		{"code ", f.Code},
		{"request id ", f.RequestID},
		{"message ", quoted(f.Message)},
		{"", f.Detail},
		{"missing scopes: ", strings.Join(f.Scopes, ", ")},
	} {
		if part.text != "" {
			parts = append(parts, part.label+part.text)
		}
	}
	return strings.Join(parts, ", ")
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return "“" + text + "”"
}

// suspects names the keys of the configuration that a refused token can be
// due to, and what they say where that is no secret.
func (t *tenant) suspects() string {
	a := t.cfg.Auth
	var keys []string
	for _, public := range []struct{ key, value string }{
		{"auth.client_id", a.ClientID}, {"auth.suite_key", a.SuiteKey}, {"auth.corp_id", a.CorpID},
	} {
		if public.value != "" {
			keys = append(keys, public.key+" "+public.value)
		}
	}
	for _, c := range a.Credentials() {
		keys = append(keys, c.Key+" "+c.Where)
	}
	text := "\nwhat was sent: " + strings.Join(keys, ", ")
	if a.Kind == config.AuthCorp {
		text += "; DingTalk pushes a new suite ticket every five hours, and only the newest is good"
	}
	return text
}
