package consume_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/consume"
)

func TestParseType(t *testing.T) {
	joined := []rollcall.Type{rollcall.ParticipantJoined}
	about := func(entity string) []rollcall.Type {
		return slices.DeleteFunc(rollcall.Types(), func(t rollcall.Type) bool { return t.Entity() != entity })
	}
	for word, want := range map[string][]rollcall.Type{
		"participant.joined":          joined,
		"rollcall.participant.joined": joined,
		"joined":                      joined,
		"mic_muted":                   {rollcall.MeetingMicMuted},
		"participant.*":               about("participant"),
		"rollcall.meeting.*":          about("meeting"),
	} {
		got, err := consume.ParseType(word)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", word, diff)
		}
	}
	for _, word := range []string{"", "*", "participant", "particpant.joined", "participant.", ".joined", "rollcall.", "meeting.joined", "\x1b"} {
		_, err := consume.ParseType(word)
		if err == nil {
			t.Errorf("ParseType(%q) finds something", word)
			continue
		}
		if !strings.Contains(err.Error(), "participant.mic_opened") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("ParseType(%q): %v", word, err)
		}
	}
}
