package publisher_test

import (
	"encoding/json"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/ledger"
	"rollcall/publisher"
	"rollcall/wire"
)

// stream.source stands before the source of each event; the attributes epoch and
// tenant say what the data say. Who reads them back does not care for the prefix.
func TestSourceEpochAndTenantAreAttributes(t *testing.T) {
	for _, source := range []string{"", "https://rollcall.example/prod", "/rollcall/of/ours"} {
		e := sample(rollcall.ParticipantJoined)
		names := names()
		names.Source = source
		var d ledger.Draft
		if err := publisher.DraftEvents(&d, names, []rollcall.Event{e}); err != nil {
			t.Fatal(err)
		}
		m := d.Messages[0]
		var got struct{ Source, Epoch, Tenant string }
		if err := json.Unmarshal(m.Data, &got); err != nil {
			t.Fatal(err)
		}
		if got.Source != source+"/rollcall/acme/c%2E1" || got.Epoch != "1700000000000" || got.Tenant != "acme" {
			t.Errorf("with the source %q: %+v", source, got)
		}
		if _, err := wire.DecodeEvent(m.Data); err != nil {
			t.Errorf("with the source %q: %v", source, err)
		}
	}
}

// What an older version has stored has neither these attributes nor the members
// that came with them; what contradicts the data is no event of ours.
func TestAttributesAreMissingOrRight(t *testing.T) {
	e := sample(rollcall.ParticipantJoined)
	whole := string(wire.AppendEvent(nil, &e))
	old := whole
	for _, added := range []string{`"epoch":"1700000000000","tenant":"acme",`, `,"labels":{}`, `,"exact":false`} {
		if !strings.Contains(old, added) {
			t.Fatalf("no %s in %s", added, old)
		}
		old = strings.Replace(old, added, "", 1)
	}
	if _, err := wire.DecodeEvent([]byte(old)); err != nil {
		t.Errorf("an event of an older version: %v", err)
	}
	for was, is := range map[string]string{
		`"epoch":"1700000000000"`: `"epoch":"1700000000001"`, `"tenant":"acme","data"`: `"tenant":"other","data"`,
		`"source":"/rollcall/acme`: `"source":"/rollcall/other`, `"labels":{}`: `"labels":{"Team":"x"}`,
	} {
		if _, err := wire.DecodeEvent([]byte(strings.Replace(whole, was, is, 1))); err == nil {
			t.Errorf("%s was accepted", is)
		}
	}
}
