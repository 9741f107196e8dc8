package cluster_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rollcall/simulator/chat"
)

// robotFiles are the address and the secret of the simulated group's robot.
func (c *cluster) robotFiles() (address, secret string) {
	c.t.Helper()
	robots := chat.DefaultRobots()
	robot := robots[slices.IndexFunc(robots, func(r chat.Robot) bool { return r.Service == "dingtalk" })]
	return c.file("robot", []byte("https://dingtalk"+robot.Path())), c.file("robot-sign", []byte(robot.Secret))
}

// forwarder has people kicked out while the forwarder that tells of them is killed.
func (c *cluster) forwarder() {
	c.t.Helper()
	c.page.section("## Two forwarders, and one of them is killed", "The component `forwarder`, with the simulator's group for DingTalk.")
	c.settle("deployment/rollcall-forwarder")
	// A forwarder begins with what happens from then on.
	c.kick(0)
	c.until("the group is told that Guest 0 was kicked out", func() bool { return len(c.told(guest(0))) > 0 })
	c.kick(1)
	c.kill(c.telling())
	c.kick(2)
	for n := range 3 {
		c.until(fmt.Sprintf("the kick of Guest %d is told", n), func() bool { return len(c.told(guest(n))) > 0 })
	}
	c.settle("deployment/rollcall-forwarder")
	for n := range 3 {
		if said := c.told(guest(n)); len(said) != 1 {
			c.t.Errorf("the kick of Guest %d is told %d times: %+v", n, len(said), said)
		}
	}
	c.page.fact("each was told once")
	c.do("kubectl -n rollcall exec deployment/rollcall-forwarder -- /rollcall forward status")
	c.verdict()
}

func guest(n int) string { return fmt.Sprintf("Guest %d.", n) }

// kick lets somebody come to a meeting that goes on, and be kicked out once that was seen.
func (c *cluster) kick(n int) {
	c.t.Helper()
	var meetings []struct{ ConferenceID, Status string }
	said, err := c.raw("dingtalk", "/_sim/meetings")
	if err == nil {
		err = json.Unmarshal([]byte(said), &meetings)
	}
	started := slices.IndexFunc(meetings, func(m struct{ ConferenceID, Status string }) bool { return m.Status == "started" })
	if err != nil || started < 0 {
		c.t.Fatalf("no meeting goes on: %v\n%s", err, said)
	}
	who := map[string]string{"conferenceId": meetings[started].ConferenceID, "userId": fmt.Sprint("guest", n), "nick": guest(n)}
	for _, verb := range []string{"join", "kick"} {
		who["act"] = verb
		c.act("/_sim/act", who)
	}
}

// telling is the pod of the forwarder that works the route.
func (c *cluster) telling() (pod string) {
	c.t.Helper()
	c.wait("a forwarder works the route", func() bool {
		for _, pod = range c.pods(forwarders) {
			said, err := c.raw(pod, "/metrics")
			if err == nil && strings.Contains(said, `rollcall_forward_route_held{route="kicks",target="team"} 1`) {
				return true
			}
		}
		return false
	})
	return pod
}
