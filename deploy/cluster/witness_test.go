package cluster_test

import (
	"encoding/json"
	"strings"
	"time"
)

// finding is what the witness in the cluster says: cmd/rollcall/endtoend has it.
type finding struct {
	Meetings, Polls, Events int
	Complaints              []string
}

// verdict has everything judged that was answered and stored so far, and demands that
// more has happened than the last time.
func (c *cluster) verdict() {
	c.t.Helper()
	began := time.Now()
	var f finding
	c.wait("the witness answers", func() bool {
		said, err := c.raw("dingtalk", "/verdict")
		if err != nil {
			c.t.Logf("the witness does not answer: %v: %s", err, said)
			return false
		}
		return json.Unmarshal([]byte(said), &f) == nil
	})
	if f.Events <= c.events {
		c.t.Errorf("the witness saw %d events, and %d before", f.Events, c.events)
	}
	c.events = f.Events
	if len(f.Complaints) > 0 {
		c.t.Fatalf("the witness complains:\n%s\n%s", strings.Join(f.Complaints[:min(12, len(f.Complaints))], "\n"), c.state())
	}
	c.page.fact("the witness, after %s: %d meetings, %d polls with changes, %d events; nothing lost, nothing twice, nothing false",
		round(time.Since(began)), f.Meetings, f.Polls, f.Events)
}

// message is one that a chat group was shown.
type message struct{ ID, Service, Title, Text string }

// told are the messages of the simulated DingTalk group with a text.
func (c *cluster) told(text string) (found []message) {
	c.t.Helper()
	said, err := c.raw("dingtalk", "/chat/messages")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(said) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			c.t.Fatalf("read a message: %v: %s", err, line)
		}
		if m.Service == "dingtalk" && strings.Contains(m.Title+m.Text, text) {
			found = append(found, m)
		}
	}
	return found
}
