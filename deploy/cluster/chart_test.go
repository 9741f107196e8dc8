package cluster_test

// chart replaces the workers of the overlay by those of the chart, and has it upgraded
// well and badly, rolled back and uninstalled.
func (c *cluster) chart() {
	c.t.Helper()
	c.page.section("## The chart", "On the same NATS, in place of the overlay's workers.")
	const flags = " watch deploy/helm/rollcall --namespace rollcall --values deploy/cluster/chart/values.yaml"
	c.do("kubectl -n rollcall delete deployment/rollcall poddisruptionbudget/rollcall")
	c.do("helm install" + flags + " --wait --timeout 5m")
	c.verdict()
	c.do("helm test watch --namespace rollcall --logs")

	c.page.section("### An upgrade", "")
	c.do("helm upgrade" + flags + " --set podAnnotations.revision=two --wait --timeout 5m")
	c.verdict()

	c.page.section("### Upgrades that fail", "A value that the schema refuses changes nothing; with a configuration that Rollcall refuses the new worker never becomes ready, and the old ones go on.")
	c.fails("helm upgrade" + flags + " --set replicas=two")
	c.fails("helm upgrade" + flags + " --set config.nonsense=1 --wait --timeout 30s")
	c.do("kubectl -n rollcall get pods -l app.kubernetes.io/instance=watch")
	c.verdict()
	c.do("helm rollback watch --namespace rollcall --wait --timeout 5m")
	c.verdict()

	c.page.section("### Uninstalled", "")
	c.do("helm uninstall watch --namespace rollcall --wait")
	c.wait("nothing of the release is left", func() bool { // --wait does not wait for pods
		return c.ask("kubectl", "-n", "rollcall", "get", "all,configmaps,secrets,networkpolicies,poddisruptionbudgets", "-o", "name",
			"-l", "app.kubernetes.io/instance=watch,app.kubernetes.io/component!=check") == ""
	})
	c.page.fact("nothing of it is left but the pod of helm test, and what was stored in NATS")
	c.removed()
}

// fails demands that a command does.
func (c *cluster) fails(line string) {
	c.t.Helper()
	if said, err := c.attempt(line); err == nil {
		c.t.Errorf("%s succeeds:\n%s", line, said)
	}
}
