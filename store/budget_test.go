package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/internal/natstest"
	"rollcall/store"
)

func TestOpenBudgetRefusesABucketThatForgets(t *testing.T) {
	for want, bucket := range map[string]jetstream.KeyValueConfig{
		"--ttl 0":     {Bucket: "MEETINGS_BUDGET", TTL: time.Hour},
		"nats kv del": {Bucket: "MEETINGS_BUDGET", Storage: jetstream.MemoryStorage},
	} {
		js := natstest.Start(t).JetStream(t)
		ledger, err := store.Open(minute(t), js, names(), store.StreamConfig{}, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.CreateKeyValue(minute(t), bucket); err != nil {
			t.Fatal(err)
		}
		if err := ledger.OpenBudget(minute(t), store.StreamConfig{}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestADeletedBudgetCanBeWrittenAgain(t *testing.T) {
	js := natstest.Start(t).JetStream(t)
	ledger := open(t, js, names(), store.StreamConfig{})
	if _, err := ledger.WriteBudget(minute(t), "acme", "2026-11", []byte("{}"), 0); err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(minute(t), "MEETINGS_BUDGET")
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(minute(t), "acme.2026-11"); err != nil {
		t.Fatal(err)
	}
	data, revision, _, err := ledger.ReadBudget(minute(t), "acme", "2026-11")
	if err != nil || data != nil || revision == 0 {
		t.Fatalf("read %q at %d, %v", data, revision, err)
	}
	if all, err := ledger.Budgets(minute(t), "2026-11"); err != nil || len(all) != 0 {
		t.Errorf("of all budgets there are %q, %v", all, err)
	}
	if _, err := ledger.WriteBudget(minute(t), "acme", "2026-11", []byte("{}"), revision); err != nil {
		t.Error(err)
	}
}

func TestWhereNobodyHasABudgetThereIsNoBucket(t *testing.T) {
	ledger := store.Attach(natstest.Start(t).JetStream(t), names())
	if all, err := ledger.Budgets(minute(t), "2026-11"); err != nil || len(all) != 0 {
		t.Errorf("read %q, %v", all, err)
	}
}

// TestASilentDomainIsNoMissingBucket asks too late to be answered: nothing is known
// then, least of all that there are no budgets.
func TestASilentDomainIsNoMissingBucket(t *testing.T) {
	broker := natstest.StartWith(t, server.Options{JetStreamDomain: "hub"})
	js, err := jetstream.NewWithAPIPrefix(broker.Connect(t), "$JS.hub.API")
	if err != nil {
		t.Fatal(err)
	}
	ledger := store.Attach(js, names())
	if all, err := ledger.Budgets(minute(t), "2026-11"); err != nil || len(all) != 0 {
		t.Errorf("without a bucket: read %q, %v", all, err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if all, err := ledger.Budgets(late, "2026-11"); err == nil {
		t.Errorf("without an answer: read %q", all)
	}
}
