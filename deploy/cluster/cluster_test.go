// Package cluster_test applies what is in deploy to a real Kubernetes, breaks it in every
// way that an operator meets, and has a witness in the cluster say whether an event was
// lost, is there twice, or is false.
package cluster_test

import (
	"crypto/rand"
	"encoding/base64"
	"flag"
	"os"
	"testing"
	"time"
)

// TestOnACluster applies the overlays and the chart, and breaks them, while the witness
// watches. Its page is deploy/CLUSTER.md.
func TestOnACluster(t *testing.T) {
	c := reach(t)
	t.Cleanup(func() { _, _ = c.try("kubectl", "delete", "namespace", "rollcall", "--ignore-not-found") })
	defer func() {
		if t.Failed() || flag.Lookup("test.run").Value.String() != "" {
			t.Logf("the page as far as it goes:\n%s", c.page)
		} else if err := os.WriteFile("../CLUSTER.md", []byte(introduction+c.page.String()), 0o644); err != nil {
			t.Error(err)
		}
	}()
	c.part("images", c.images)
	c.part("single", c.single)
	c.part("cluster", c.three)
	c.part("forwarder", c.forwarder)
	c.part("chart", c.chart)
}

const introduction = `# On a real cluster

Written by ` + "`make cluster-test`" + `: what it did on a Kubernetes cluster, and what it saw. In the cluster runs a simulated DingTalk behind a witness, which writes down every answer.
After each fault it compares them with the stream: every change that was answered is told once, in order, with the record that it leads to, and nothing else is.
It shares no code with Rollcall (` + "`cmd/rollcall/endtoend`" + `).
`

// installed applies a kustomization with its Secrets, and waits for its first event.
func (c *cluster) installed(folder, workload string, secrets func(app, certificate string)) {
	c.t.Helper()
	c.events, c.folder = 0, folder
	app, certificate, key := c.files()
	began := time.Now()
	c.do("kubectl apply -f deploy/kubernetes/overlays/" + folder + "/namespace.yaml")
	secrets(app, certificate)
	c.ask("kubectl", "-n", "rollcall", "create", "secret", "tls", "dingtalk-tls", "--cert="+certificate, "--key="+key)
	c.do("kubectl apply -k deploy/cluster/" + folder)
	c.settle(workload)
	c.firstEvent(workload)
	c.page.fact("from the empty namespace to the first event: %s", round(time.Since(began)))
	c.verdict()
}

// broken lets each fault happen, and has the witness judge.
func (c *cluster) broken(workload string, all []fault) {
	c.t.Helper()
	for _, f := range all {
		c.part(f.title, func() {
			c.page.section("### "+f.title, f.why)
			f.do(c, workload)
			c.verdict()
		})
	}
}

// part is a test within the test, without which the rest is not tried.
func (c *cluster) part(name string, try func()) {
	whole := c.t
	passed := whole.Run(name, func(t *testing.T) {
		c.t = t
		try()
	})
	if c.t = whole; !passed {
		whole.FailNow()
	}
}

func (c *cluster) removed() {
	c.t.Helper()
	c.do("kubectl delete namespace rollcall")
}

func (c *cluster) single() {
	c.t.Helper()
	c.page.section("## One worker with its own NATS", "The overlay `single`.")
	c.installed("single", "statefulset/rollcall", func(app, certificate string) {
		c.do("kubectl -n rollcall create secret generic rollcall-secrets --from-file=dingtalk-acme=… --from-literal=nats-token=… --from-literal=operator-token=…",
			app, rand.Text(), rand.Text(), "--from-file=dingtalk.crt="+certificate)
	})
	c.broken("statefulset/rollcall", faults())
	c.removed()
}

func (c *cluster) three() {
	c.t.Helper()
	c.page.section("## Two workers and three NATS servers", "The overlay `cluster`.")
	c.installed("cluster", "deployment/rollcall", func(app, certificate string) {
		secrets := c.ask("deploy/kubernetes/overlays/cluster/secrets", "dingtalk-acme="+app, "dingtalk.crt="+certificate)
		c.page.command("deploy/kubernetes/overlays/cluster/secrets dingtalk-acme=… | kubectl apply -f -", "", 0)
		c.ask("kubectl", "apply", "-f", c.file("secrets.yaml", []byte(secrets)))
		robot, sign := c.robotFiles()
		c.do("kubectl -n rollcall create secret generic rollcall-forwarder-secrets --from-file=robot=… --from-file=robot-sign=… --from-literal=nats-password=… --from-literal=ca.crt=…",
			robot, sign, c.secret("nats-passwords", "FORWARDER_PASSWORD"), c.secret("rollcall-secrets", `ca\.crt`), "--from-file=dingtalk.crt="+certificate)
	})
	c.broken("deployment/rollcall", append(faults(), natsFaults()...))
}

// secret is what a Secret holds under a key.
func (c *cluster) secret(name, key string) string {
	c.t.Helper()
	encoded := c.ask("kubectl", "-n", "rollcall", "get", "secret", name, "-o", "jsonpath={.data."+key+"}")
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

// natsFaults are those of the three servers.
func natsFaults() []fault {
	return []fault{
		{"Each NATS server is killed", "One after the other; one of them leads the stream.", func(c *cluster, _ string) {
			for _, server := range []string{"nats-0", "nats-1", "nats-2"} {
				c.kill(server)
				c.natsIsWhole()
			}
		}},
		{"A NATS server is lost", "And stays away.", func(c *cluster, _ string) {
			c.do("kubectl -n rollcall scale statefulset/nats --replicas=2")
			c.until("two servers are left", func() bool { return len(c.pods("app.kubernetes.io/name=nats")) == 2 })
			c.verdict()
			c.do("kubectl -n rollcall scale statefulset/nats --replicas=3")
			c.natsIsWhole()
		}},
		{"A rolling restart of NATS", "", func(c *cluster, _ string) {
			c.do("kubectl -n rollcall rollout restart statefulset/nats")
			c.natsIsWhole()
		}},
	}
}

// natsIsWhole waits for all servers, where there are any.
func (c *cluster) natsIsWhole() {
	c.t.Helper()
	if len(c.pods("app.kubernetes.io/name=nats")) > 0 {
		c.settle("statefulset/nats")
	}
}
