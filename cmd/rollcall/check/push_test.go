package check

import (
	"testing"

	"rollcall/simulator"
)

// TestTheGatewayOfPushesIsTried where pushes are wanted, without a connection that
// would take pushes from the worker.
func TestTheGatewayOfPushesIsTried(t *testing.T) {
	w := newWorld(t)
	run(t, w.check()).lacks(t, "dingtalk push")
	w.tenant().Push.Enabled = true
	run(t, w.check()).says(t, "dingtalk push", OK, "a ticket was given", "not metered")
	if c := w.sim.Pushes(); c.Opened != 1 || c.Refused != 0 || w.sim.Listening() != 0 {
		t.Errorf("pushes are %+v", c)
	}

	w.tenant().Push.ClientID = simulator.DefaultAppKey
	w.tenant().Push.ClientSecretFile = w.file(t, "push", "not the secret")
	run(t, w.check()).says(t, "dingtalk push", Fail, "invalidClientIdOrSecret", "Credentials", "push.client_secret_file", simulator.DefaultAppKey)

	w.tenant().Push.ClientSecretFile = w.file(t, "push", simulator.DefaultAppSecret)
	if err := w.sim.Arm(simulator.Fault{Name: "noPermission", Operation: simulator.OpGateway}); err != nil {
		t.Fatal(err)
	}
	run(t, w.check()).says(t, "dingtalk push", Fail, "noPermission", "Stream mode")
}
