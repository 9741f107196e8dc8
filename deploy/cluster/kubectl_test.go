package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is the longest that anything is waited for.
const patience = 5 * time.Minute

// cluster is what kubectl reaches, and the page on which is written what was done.
type cluster struct {
	t       *testing.T
	page    *page
	tools   map[string][]string // the commands behind kubectl, helm and load
	scratch string
	nodes   int
	folder  string // the kustomization that is applied
	events  int    // that the witness saw the last time
}

// reach skips the test, or fails it, where no cluster is to be tried on.
func reach(t *testing.T) *cluster {
	t.Helper()
	wanted := os.Getenv("ROLLCALL_CLUSTER")
	if wanted == "" {
		t.Skip("breaks and drains what kubectl points at: run make cluster-test")
	}
	c := &cluster{t: t, scratch: t.TempDir(), tools: map[string][]string{
		"kubectl": words("KUBECTL", "kubectl"), "helm": words("HELM_COMMAND", "helm"),
	}}
	if said, err := c.try("kubectl", "version", "--request-timeout=10s"); err != nil {
		c.unreachable(wanted, fmt.Sprintf("%v: %s", err, said))
	}
	if said, err := c.try("kubectl", "get", "namespace", "rollcall"); err == nil {
		t.Fatalf("the namespace rollcall is in use on this cluster, and would be deleted:\n%s", said)
	}
	c.tools["load"] = words("IMAGE_LOAD", c.loader())
	c.page = &page{hide: []string{c.scratch, "…"}}
	for _, node := range strings.Fields(c.ask("kubectl", "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")) {
		c.page.hide = append(c.page.hide, node, "NODE")
		c.nodes++
	}
	return c
}

func (c *cluster) unreachable(wanted, why string) {
	c.t.Helper()
	message := "no cluster is reached: " + why + "\nname it: KUBECTL='kubectl --context kind-kind' IMAGE_LOAD='kind load image-archive' ROLLCALL_CLUSTER=required make cluster-test"
	if wanted == "required" {
		c.t.Fatal(message)
	}
	c.t.Skip(message)
}

// loader is how a cluster of this kind is handed the tar of an image.
func (c *cluster) loader() string {
	context, _ := c.try("kubectl", "config", "current-context")
	if name, kind := strings.CutPrefix(strings.TrimSpace(context), "kind-"); kind {
		return "kind load image-archive --name " + name
	}
	if _, err := exec.LookPath("k3s"); err == nil {
		return "k3s ctr images import"
	}
	return "ctr -n k8s.io images import" // at CONTAINERD_ADDRESS
}

// words is a command from the environment.
func words(variable, otherwise string) []string {
	if set := strings.Fields(os.Getenv(variable)); len(set) > 0 {
		return set
	}
	return strings.Fields(otherwise)
}

// command is a tool with arguments, run at the root of the repository.
func (c *cluster) command(ctx context.Context, tool string, args ...string) *exec.Cmd {
	line := append([]string{tool}, args...)
	if with, ours := c.tools[tool]; ours {
		line = append(with[:len(with):len(with)], args...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = "../.."
	return cmd
}

// try runs a command and returns what it wrote.
func (c *cluster) try(tool string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.t.Context()), 2*patience) // the last thing is to clean up
	defer cancel()
	out, err := c.command(ctx, tool, args...).CombinedOutput()
	return string(out), err
}

// ask runs a command that the page does not show.
func (c *cluster) ask(tool string, args ...string) string {
	c.t.Helper()
	said, err := c.try(tool, args...)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, said)
	}
	return said
}

// do runs a command line as it stands on the page, with what it wrote, and fails where
// Kubernetes warns. It knows no quotes. Each … in it is one of the values, which the
// page does not show; those that are left over follow as arguments.
func (c *cluster) do(line string, values ...string) string {
	c.t.Helper()
	said, err := c.attempt(line, values...)
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", line, err, said)
	}
	if strings.Contains(said, "Warning:") {
		c.t.Errorf("%s: Kubernetes warns:\n%s", line, said)
	}
	return said
}

// attempt is do with a command that may fail.
func (c *cluster) attempt(line string, values ...string) (string, error) {
	c.t.Helper()
	began := time.Now()
	args := strings.Fields(line)
	for i := range args {
		for strings.Contains(args[i], "…") {
			args[i] = strings.Replace(args[i], "…", values[0], 1)
			values = values[1:]
		}
	}
	args = append(args, values...)
	said, err := c.try(args[0], args[1:]...)
	c.page.command(line, said, time.Since(began))
	return said, err
}

// until waits for something, and writes down how long that took.
func (c *cluster) until(what string, holds func() bool) {
	c.t.Helper()
	began := time.Now()
	c.wait(what, holds)
	c.page.fact("%s: after %s", what, round(time.Since(began)))
}

// wait is until, without a word on the page.
func (c *cluster) wait(what string, holds func() bool) {
	c.t.Helper()
	began := time.Now()
	for tick := time.Tick(time.Second); !holds(); <-tick {
		if time.Since(began) > patience {
			c.t.Fatalf("waited %s in vain: %s\n%s", patience, what, c.state())
		}
	}
}

// state is what an operator would look at first.
func (c *cluster) state() string {
	pods, _ := c.try("kubectl", "-n", "rollcall", "get", "pods", "-o", "wide")
	logs, _ := c.try("kubectl", "-n", "rollcall", "logs", "--prefix", "--tail=20", "-l", "app.kubernetes.io/name in (rollcall,dingtalk)", "--all-containers")
	return pods + logs
}

// settle waits until a workload is as it should be.
func (c *cluster) settle(workload string) {
	c.t.Helper()
	c.do("kubectl -n rollcall rollout status "+workload, "--timeout=5m")
}

// pods are the names of those with a label.
func (c *cluster) pods(label string) []string {
	c.t.Helper()
	return strings.Fields(c.ask("kubectl", "-n", "rollcall", "get", "pods", "-l", label, "-o", "jsonpath={.items[*].metadata.name}"))
}

const (
	workers    = "app.kubernetes.io/name=rollcall,app.kubernetes.io/component=worker"
	forwarders = "app.kubernetes.io/name=rollcall,app.kubernetes.io/component=forwarder"
)

// restarts is how often containers of the workers' pods were started again.
func (c *cluster) restarts() string {
	c.t.Helper()
	return c.ask("kubectl", "-n", "rollcall", "get", "pods", "-l", workers, "-o", `jsonpath={range .items[*]}{.metadata.name}={.status.containerStatuses[*].restartCount} {end}`)
}

// raw asks a pod's port through the API.
func (c *cluster) raw(pod, path string) (string, error) {
	return c.try("kubectl", "get", "--raw", "/api/v1/namespaces/rollcall/pods/"+pod+":8080/proxy"+path)
}

// metrics are what the workers show of a metric.
func (c *cluster) metrics(series string) (values []float64) {
	c.t.Helper()
	for _, pod := range c.pods(workers) {
		said, err := c.raw(pod, "/metrics")
		if err != nil {
			continue
		}
		for _, found := range regexp.MustCompile(`(?m)^`+series+` (\S+)$`).FindAllStringSubmatch(said, -1) {
			if value, err := strconv.ParseFloat(found[1], 64); err == nil {
				values = append(values, value)
			}
		}
	}
	return values
}

// act makes something happen in the simulator.
func (c *cluster) act(path string, body any) {
	c.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	file := c.file("act.json", data)
	c.ask("kubectl", "create", "--raw", "/api/v1/namespaces/rollcall/pods/dingtalk:8080/proxy"+path, "-f", file)
}

func (c *cluster) file(name string, data []byte) string {
	c.t.Helper()
	path := c.scratch + "/" + name
	if err := os.WriteFile(path, data, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// firstEvent is what tail shows first, in a workload's pod.
func (c *cluster) firstEvent(workload string) {
	c.t.Helper()
	line := "kubectl -n rollcall exec " + workload + " -- /rollcall tail --since 10m"
	began := time.Now()
	c.wait("an event is shown by "+line, func() bool {
		ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
		defer cancel()
		args := strings.Fields(line)
		cmd := c.command(ctx, args[0], args[1:]...)
		out := &untilLine{enough: cancel}
		cmd.Stdout = out
		_ = cmd.Run() // it never ends by itself
		if out.line() == "" {
			return false
		}
		c.page.command(line, out.line(), time.Since(began))
		return true
	})
}

// untilLine keeps what is written, and has enough with the first line.
type untilLine struct {
	text   bytes.Buffer // not embedded: its ReadFrom would go round Write
	enough func()
}

func (u *untilLine) Write(b []byte) (int, error) {
	if bytes.ContainsRune(b, '\n') {
		defer u.enough()
	}
	return u.text.Write(b)
}

func (u *untilLine) line() string {
	first, _, whole := strings.Cut(u.text.String(), "\n")
	if !whole {
		return ""
	}
	return first
}
