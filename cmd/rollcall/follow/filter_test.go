package follow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/wire"
)

func TestParseType(t *testing.T) {
	joined := []rollcall.Type{rollcall.ParticipantJoined}
	for word, want := range map[string][]rollcall.Type{
		"participant.joined":          joined,
		"rollcall.participant.joined": joined,
		"joined":                      joined,
		"mic_muted":                   {rollcall.MeetingMicMuted},
	} {
		got, err := ParseType(word)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", word, diff)
		}
	}
	people, _ := ParseType("participant.*")
	meetings, _ := ParseType("rollcall.meeting.*")
	if len(people) != 13 || len(meetings) != 13 {
		t.Errorf("%d types about people and %d about meetings, want 13 and 13", len(people), len(meetings))
	}
	for _, word := range []string{"", "*", "participant", "particpant.joined", "participant.", ".joined", "rollcall.", "meeting.joined", "\x1b"} {
		_, err := ParseType(word)
		if err == nil {
			t.Errorf("ParseType(%q) finds something", word)
			continue
		}
		if !strings.Contains(err.Error(), "participant.mic_opened") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("ParseType(%q): %v", word, err)
		}
	}
}

func TestFilterSubjects(t *testing.T) {
	names := wire.Names{Stream: "M", Prefix: "a.b"}
	for want, filter := range map[string]Filter{
		"a.b.event.*.*.*.*":                   {},
		"a.b.event.acme.*.*.*":                {Tenant: "acme"},
		"a.b.event.*.c%2E1.*.*":               {Conference: "c.1"},
		"a.b.event.acme.%3E.meeting.ended":    {"acme", ">", []rollcall.Type{"meeting.ended", "meeting.ended"}},
		"a.b.event.*.*.a.b a.b.event.*.*.c.d": {Types: []rollcall.Type{"c.d", "a.b"}},
	} {
		if got := strings.Join(filter.subjects(names), " "); got != want {
			t.Errorf("%+v gives %s, want %s", filter, got, want)
		}
	}
}
