package wire_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/wire"
)

func TestTokenIsInjectiveAndSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "value")
		token := wire.Token(string(value))
		if strings.ContainsAny(token, ".*> \t\r\n\x00") || token == "" {
			t.Fatalf("token %q is not one plain subject token", token)
		}
		back, ok := wire.Value(token)
		if !ok || back != string(value) {
			t.Fatalf("Value(%q) = %q, %v; want %q", token, back, ok, value)
		}
	})
}

func TestTokenExamples(t *testing.T) {
	for value, want := range map[string]string{
		"abc-DEF_09": "abc-DEF_09",
		"a.b":        "a%2Eb",
		"*":          "%2A",
		">":          "%3E",
		"a b":        "a%20b",
		"100%":       "100%25",
		"会":          "%E4%BC%9A",
	} {
		if got := wire.Token(value); got != want {
			t.Errorf("Token(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestValueRefusesWhatTokenNeverWrites(t *testing.T) {
	for _, token := range []string{"%", "%2", "%2e", "%41", "a.b", "*", "%ZZ"} {
		if value, ok := wire.Value(token); ok {
			t.Errorf("Value(%q) = %q, want a refusal", token, value)
		}
	}
}

func TestNames(t *testing.T) {
	n := wire.Names{Stream: "MEETINGS", Prefix: "meetings"}
	for got, want := range map[string]string{
		n.Event("acme", "a.b", rollcall.ParticipantJoined): "meetings.event.acme.a%2Eb.participant.joined",
		n.State("acme", "c1"):                              "meetings.state.acme.c1",
		n.Tracked("acme", "c1"):                            "meetings.tracked.acme.c1",
		n.Status("acme"):                                   "meetings.status.acme",
		n.Claim("acme", 3):                                 "meetings.claim.acme.3",
		n.Commit(n.State("acme", "c1")):                    "rollcall.MEETINGS.commit.state.acme.c1",
		n.Commits():                                        "rollcall.MEETINGS.commit.>",
		n.API("acme", "track"):                             "rollcall.MEETINGS.api.acme.track",
		n.Shard("acme", "track"):                           "rollcall.MEETINGS.shard.acme.track",
		n.Workers():                                        "MEETINGS_WORKERS",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
