package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natstest"
	"rollcall/store"
)

// TestRenderedFilesAreCurrent makes what is made of something else, and compares.
func TestRenderedFilesAreCurrent(t *testing.T) {
	rules := textOf(t, "observability/rules.yaml")
	rendered(t, "kubernetes/components/prometheusrule/prometheusrule.yaml", prometheusRule(rules))
	rendered(t, "helm/rollcall/files/rules.yaml", rules)
	rendered(t, "helm/rollcall/files/dashboard.json", textOf(t, "observability/grafana/rollcall.json"))
	rendered(t, "nack/rollcall.yaml", nack(t))
}

// rendered compares a file with what it should hold; ROLLCALL_RECORD=1 writes it.
func rendered(t *testing.T, file, want string) {
	t.Helper()
	if os.Getenv("ROLLCALL_RECORD") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, []byte(want)) {
		t.Errorf("deploy/%s is not current: ROLLCALL_RECORD=1 go test ./deploy -run Rendered", filepath.ToSlash(file))
	}
}

func prometheusRule(rules string) string {
	_, groups, _ := strings.Cut(rules, "\ngroups:\n")
	return `# Made from deploy/observability/rules.yaml by a test.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rollcall
  labels:
    app.kubernetes.io/name: rollcall
    app.kubernetes.io/part-of: rollcall
spec:
  groups:
` + strings.ReplaceAll("  "+strings.ReplaceAll(strings.TrimSuffix(groups, "\n"), "\n", "\n  "), "\n  \n", "\n\n") + "\n"
}

// nack is the ledger as the NATS controller (NACK, control-loop mode) would make
// it: what a server tells of the stream and the buckets that the store has made.
func nack(t *testing.T) string {
	t.Helper()
	js := natstest.Start(t).JetStream(t)
	sizes := store.StreamConfig{MaxBytes: 8 << 30, WorkersMaxBytes: 16 << 20, BudgetMaxBytes: 16 << 20}
	ledger, err := store.Open(t.Context(), js, names, sizes, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.OpenBudget(t.Context(), sizes, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), names.Stream)
	if err != nil {
		t.Fatal(err)
	}
	out := "# The ledger for NATS' controller (NACK 0.20 or newer, --control-loop), on a NATS of\n" +
		"# three servers. A test makes it from what the store makes: change nothing but the\n" +
		"# sizes and the retention, and these together with stream: in rollcall.yaml. The\n" +
		"# worker then does without CREATE (deploy/README.md).\n"
	out += nackStream(t, stream.CachedInfo().Config)
	for _, bucket := range []string{names.Workers(), names.Budget()} {
		out += nackBucket(t, js, bucket)
	}
	return out
}

// nackStream fails where the stream has a setting that the manifest would lose.
func nackStream(t *testing.T, c jetstream.StreamConfig) string {
	t.Helper()
	if c.Storage != jetstream.FileStorage || c.Discard != jetstream.DiscardNew || c.Retention != jetstream.LimitsPolicy ||
		len(c.Subjects) != 1 || c.SubjectTransform == nil || c.RePublish == nil || c.RePublish.HeadersOnly {
		t.Fatalf("the stream is another than the manifest tells: %+v", c)
	}
	return fmt.Sprintf(`---
apiVersion: jetstream.nats.io/v1beta2
kind: Stream
metadata:
  name: %s
spec:
  name: %s
  description: %q
  subjects: [%q]
  subjectTransform: {source: %q, dest: %q}
  republish: {source: %q, destination: %q}
  retention: limits
  storage: file
  discard: new
  replicas: 3
  maxAge: %s
  maxBytes: %d
  maxMsgs: %d
  maxMsgsPerSubject: %d
  maxMsgSize: %d
  maxConsumers: %d
  duplicateWindow: %s
  allowAtomicPublish: %t
  allowMsgTtl: %t
  allowRollup: %t
  allowDirect: %t
  # The ledger outlives this manifest.
  preventDelete: true
`, manifestName(c.Name), c.Name, c.Description, c.Subjects[0], c.SubjectTransform.Source, c.SubjectTransform.Destination,
		c.RePublish.Source, c.RePublish.Destination, hours(c.MaxAge), c.MaxBytes, c.MaxMsgs, c.MaxMsgsPerSubject, c.MaxMsgSize, c.MaxConsumers,
		c.Duplicates, c.AllowAtomicPublish, c.AllowMsgTTL, c.AllowRollup, c.AllowDirect)
}

func nackBucket(t *testing.T, js jetstream.JetStream, bucket string) string {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	status, err := kv.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := status.(*jetstream.KeyValueBucketStatus).StreamInfo().Config
	out := fmt.Sprintf(`---
apiVersion: jetstream.nats.io/v1beta2
kind: KeyValue
metadata:
  name: %s
spec:
  bucket: %s
  description: %q
  storage: file
  history: %d
  replicas: 3
  maxBytes: %d
`, manifestName(bucket), bucket, c.Description, status.History(), c.MaxBytes)
	if status.TTL() > 0 {
		out += fmt.Sprintf("  ttl: %s\n", hours(status.TTL()))
	}
	if status.LimitMarkerTTL() > 0 {
		out += fmt.Sprintf("  # A second, in nanoseconds.\n  limitMarkerTtl: %d\n", status.LimitMarkerTTL().Nanoseconds())
	}
	return out + "  preventDelete: true\n"
}

func manifestName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }
