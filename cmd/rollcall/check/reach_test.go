package check

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/natstest"
	"rollcall/store"
)

// TestCrowdedConsumersAreSaid has ever more consumers on the stream.
func TestCrowdedConsumersAreSaid(t *testing.T) {
	for _, c := range []struct {
		account, has int
		verdict      Verdict
		words        []string
	}{
		{-1, 3, OK, []string{"3 of 1,000"}},
		{10, 7, OK, []string{"7 of 1,000"}},
		{10, 8, Warn, []string{"the account has 8 consumers", "may have 10", "soon", "nats consumer ls MEETINGS"}},
		{10, 10, Warn, []string{"the account has 10 consumers", "no service can make one more"}},
		{-1, 800, Warn, []string{"the stream has 800 consumers", "1,000", "nats consumer rm MEETINGS"}},
	} {
		s := startNATS(t, nil)
		js := opened(t, s, store.StreamConfig{})
		s.Limit(server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: -1, MaxStreams: -1, MaxConsumers: c.account})
		for n := range c.has {
			if _, err := js.CreateConsumer(t.Context(), "MEETINGS", jetstream.ConsumerConfig{Name: fmt.Sprintf("c%d", n), MemoryStorage: true, InactiveThreshold: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		r := run(t, newWorld(t).on(s.URL()).as(t, "w").check())
		r.says(t, "nats consumers", c.verdict, c.words...)
		if r.count[Fail] > 0 {
			t.Errorf("a worker needs no consumer:\n%s", r.text)
		}
	}
}

// TestJetStreamIsReachedAsAWorkerDoes has it in a domain, and under a prefix; in
// both the inbox is one's own.
func TestJetStreamIsReachedAsAWorkerDoes(t *testing.T) {
	own := &server.SubjectPermission{Allow: []string{"_INBOX.w.>", "rollcall.>"}}
	options := server.Options{ServerName: "nats-1", JetStreamDomain: "hub", Users: []*server.User{
		{Username: "w", Password: password, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.DIRECT.>"}}, Subscribe: own}},
		{Username: "admin", Password: password},
	}}
	s := natstest.StartWith(t, options)
	opened(t, s, store.StreamConfig{})
	w := newWorld(t).on(s.URL()).as(t, "w")
	run(t, w.check()).says(t, "nats jetstream", Fail, "allow the user to subscribe to _INBOX.>", "nats.inbox_prefix")
	c := w.check()
	c.Broker.InboxPrefix = "_INBOX.w"
	for _, reach := range []struct{ domain, prefix, api string }{{"", "", "$JS.API."}, {"hub", "", "$JS.API."}, {"", "$JS.hub.API", "$JS.API."}} {
		c.Config.NATS.Domain, c.Config.NATS.JSPrefix = reach.domain, reach.prefix
		r := run(t, c)
		r.says(t, "nats stream", OK)
		r.says(t, "nats read", Fail, "may not publish to "+reach.api+"DIRECT.GET.MEETINGS", "allow the user to publish to "+reach.api+"DIRECT.GET.MEETINGS and "+reach.api)
	}
	c.Config.NATS.Domain, c.Config.NATS.JSPrefix = "elsewhere", ""
	run(t, c).says(t, "nats jetstream", Fail)
	c.Config.NATS.Domain, c.Config.NATS.JSPrefix = "", "JS.elsewhere.API"
	run(t, c).says(t, "nats jetstream", Fail)
}
