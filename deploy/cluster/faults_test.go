package cluster_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// fault is something that happens to an installation.
type fault struct {
	title, why string
	do         func(c *cluster, workload string)
}

// faults are those of every installation.
func faults() []fault {
	return []fault{
		{"A rolling restart", "", func(c *cluster, workload string) {
			c.do("kubectl -n rollcall rollout restart " + workload)
			c.settle(workload)
		}},
		{"A pod is deleted", "", func(c *cluster, workload string) {
			c.do("kubectl -n rollcall delete pod " + c.pods(workers)[0])
			c.settle(workload)
		}},
		{"A pod is killed", "SIGKILL at once, as where its node dies.", func(c *cluster, workload string) {
			c.kill(c.pods(workers)[0])
			c.settle(workload)
		}},
		{"A node is drained", "Only the pods of this installation: the witness must stay.", drain},
		{"Out of memory", "The limit is lowered until the kernel kills.", outOfMemory},
		{"A secret changes", "DingTalk's secret is exchanged for a wrong one, the tokens are revoked, and it is put right. Nothing is restarted.", changedSecret},
		{"A bad configuration", "A key that does not exist is written into the ConfigMap in force.", badConfiguration},
	}
}

// kill ends a pod without a warning, and without one of kubectl's.
func (c *cluster) kill(pod string) {
	c.t.Helper()
	if said, err := c.attempt("kubectl -n rollcall delete pod " + pod + " --grace-period=0 --force"); err != nil {
		c.t.Fatalf("kill pod %s: %v\n%s", pod, err, said)
	}
}

// drain empties the node of the first worker, as far as the budgets let it.
func drain(c *cluster, workload string) {
	c.t.Helper()
	node := c.ask("kubectl", "-n", "rollcall", "get", "pod", c.pods(workers)[0], "-o", "jsonpath={.spec.nodeName}")
	defer func() {
		c.do("kubectl uncordon …", node)
		c.settle(workload)
		c.natsIsWhole()
	}()
	_, err := c.attempt("kubectl drain … --ignore-daemonsets --delete-emptydir-data --timeout=40s", node,
		"--pod-selector=app.kubernetes.io/name in (rollcall,nats)")
	switch replicas := len(c.pods(workers)); {
	case err == nil:
		c.page.fact("the node is empty")
	case c.nodes == 1 && replicas > 1:
		c.page.fact("the one node that there is cannot be emptied: the budgets keep one worker, and two servers of NATS, until the others run elsewhere")
	default:
		c.t.Errorf("drain: %v", err)
	}
}

// outOfMemory lowers the limit until containers die of it, and puts it back.
func outOfMemory(c *cluster, workload string) {
	c.t.Helper()
	killed := func() bool {
		said := c.ask("kubectl", "-n", "rollcall", "get", "pods", "-l", workers, "-o", "jsonpath={.items[*].status.containerStatuses[*]}")
		return strings.Contains(said, "OOMKilled")
	}
	for limit := 20; !killed(); limit -= 3 {
		c.do(fmt.Sprintf("kubectl -n rollcall set resources %s --containers=rollcall --requests=memory=%[2]dMi --limits=memory=%[2]dMi", workload, limit))
		for tick, began := time.Tick(time.Second), time.Now(); !killed() && time.Since(began) < 40*time.Second; <-tick {
		}
	}
	c.page.fact("a container is OOMKilled")
	c.do("kubectl -n rollcall get pods -l " + workers)
	c.do("kubectl apply -k deploy/cluster/" + c.folder)
	if strings.HasPrefix(workload, "statefulset") {
		c.do("kubectl -n rollcall delete pod " + c.pods(workers)[0]) // a StatefulSet waits for a pod that never is ready
	}
	c.settle(workload)
}

// changedSecret exchanges DingTalk's secret while workers run.
func changedSecret(c *cluster, workload string) {
	c.t.Helper()
	before := c.restarts()
	set := func(secret string) {
		patch, err := json.Marshal(map[string]any{"stringData": map[string]string{"dingtalk-acme": secret}})
		if err != nil {
			c.t.Fatal(err)
		}
		c.do("kubectl -n rollcall patch secret rollcall-secrets -p …", string(patch))
	}
	token := func(verdict string) func() bool {
		return func() bool {
			said, _ := c.try("kubectl", "-n", "rollcall", "exec", workload, "--", "/rollcall", "check", "--no-call")
			return regexp.MustCompile(`(?m)^` + verdict + ` +acme: token`).MatchString(said)
		}
	}
	right := string(bytesOf(c.t, c.scratch+"/acme"))
	set("wrong")
	c.until("the wrong secret has reached the pod (rollcall check --no-call)", token("FAIL"))
	c.act("/_sim/revoke", struct{}{})
	c.until("DingTalk refuses the worker (rollcall_held_until_timestamp_seconds)", func() bool {
		held := c.metrics(`rollcall_held_until_timestamp_seconds\{class="token",.*\}`)
		return len(held) > 0 && slices.Max(held) > float64(time.Now().Unix())
	})
	set(right)
	c.until("the right one has reached it", token("ok"))
	c.until("questions are answered again", func() bool {
		last := c.metrics(`rollcall_last_answer_timestamp_seconds\{.*\}`)
		return len(last) > 0 && time.Since(time.Unix(int64(slices.Max(last)), 0)) < 10*time.Second
	})
	if after := c.restarts(); after != before {
		c.t.Errorf("containers were restarted: %s, and before %s", after, before)
	}
}

// badConfiguration writes nonsense into the ConfigMap that the pods have mounted.
func badConfiguration(c *cluster, workload string) {
	c.t.Helper()
	before := c.restarts()
	name := c.ask("kubectl", "-n", "rollcall", "get", workload, "-o", `jsonpath={.spec.template.spec.volumes[?(@.name=="config")].configMap.name}`)
	good := c.ask("kubectl", "-n", "rollcall", "get", "configmap", name, "-o", `jsonpath={.data.rollcall\.yaml}`)
	set := func(text string) {
		patch, err := json.Marshal(map[string]any{"data": map[string]string{"rollcall.yaml": text}})
		if err != nil {
			c.t.Fatal(err)
		}
		c.do("kubectl -n rollcall patch configmap "+name+" -p …", string(patch))
	}
	const metric = "rollcall_config_last_reload_successful"
	set(good + "nonsense: 1\n")
	all := func(value float64) func() bool {
		return func() bool {
			values := c.metrics(metric)
			return len(values) == len(c.pods(workers)) && !slices.ContainsFunc(values, func(v float64) bool { return v != value })
		}
	}
	c.until(metric+" is 0", all(0))
	c.verdict()
	set(good)
	c.until(metric+" is 1", all(1))
	if after := c.restarts(); after != before {
		c.t.Errorf("containers were restarted: %s, and before %s", after, before)
	}
}
