package verify

import (
	"errors"
	"slices"

	"rollcall"
	"rollcall/consume/consumetest"
	"rollcall/wire"
)

// rule is one rule for consumers, played in the meetings of a tenant of its own.
type rule struct {
	right, fault, tenant string
	joined               bool       // who joined is counted too
	parts                [][][]byte // lines; behind each part the program is asked
}

// first is what every program does that reads lines and answers.
func first() ([]rule, error) {
	return []rule{{"events are folded into a roster", "mistaking what happens", "fold", false, parts(folding())}}, nil
}

// rules are the rules that have a name. Each is played so that a program breaks
// as few others as can be.
func rules() ([]rule, error) {
	filled, err := gap()
	awaited, wrong := partial()
	blind, failed := watch()
	return []rule{
		{"who is kicked out is gone", "double counting after a kick", "kick", false, parts(kick())},
		{"an event that comes again changes nothing", "applying a repetition", "repeat", true, parts(repetition())},
		{"another epoch begins anew", "ignoring epoch", "epoch", false, parts(epoch())},
		{"a gap is seen, and filled from the record", "ignoring a gap", "gap", false, filled},
		{"a record with partial is awaited", "taking a part for the whole", "partial", false, awaited},
		{"sequence orders, time does not", "trusting time for order", "time", false, parts(backwards())},
		{"an unknown type counts in the sequence", "dying on an unknown type", "unknown", false, parts(unknown())},
		{"a newer schema is passed over", "misreading a newer schema", "newer", false, parts(newer())},
		{"what was found at the first look did not happen then", "counting baseline as new", "baseline", true, parts(baseline())},
		{"meeting.untracked clears the roster", "losing untracked", "untracked", false, parts(untracked())},
		{"people without a user id are told apart by their keys", "anonymous people taken for one", "anonymous", false, parts(anonymous())},
		{"a meeting is one of its tenant", "tenants taken for one", "tenants", false, parts(tenants())},
		{"a watch event is of a tenant, and changes no meeting", "mistaking a watch event for a meeting's", "watch", false, blind},
	}, errors.Join(err, wrong, failed)
}

func parts(s consumetest.Sequence) [][][]byte { return [][][]byte{data(s)} }

func data(s consumetest.Sequence) (lines [][]byte) {
	for _, m := range s {
		lines = append(lines, m.Data)
	}
	return lines
}

func folding() consumetest.Sequence {
	s := begin("fold", "6f1a")
	s.tell(rollcall.ParticipantInvited, "u1", "u2", "u3")
	s.tell(rollcall.ParticipantJoining, "u1", "u4")
	s.tell(rollcall.ParticipantJoined, "u1", "u4", "u5")
	s.tell(rollcall.ParticipantMicOpened, "u1", "u4")
	s.tell(rollcall.ParticipantCameraOpened, "u5")
	s.tell(rollcall.ParticipantMicClosed, "u4")
	s.tell(rollcall.ParticipantDeclined, "u2")
	s.tell(rollcall.ParticipantInvitationLapsed, "u3")
	s.tell(rollcall.ParticipantLeft, "u5")
	return s.events()
}

func kick() consumetest.Sequence {
	s := begin("kick", "6f1b")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.tell(rollcall.ParticipantKickedOut, "u1")
	s.tell(rollcall.ParticipantJoined, "u1")
	s.tell(rollcall.ParticipantKickedOut, "u1")
	return s.events()
}

func repetition() consumetest.Sequence {
	s := begin("repeat", "6f1c")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.tell(rollcall.ParticipantLeft, "u1")
	return s.events().Repeat()
}

// epoch has somebody gone whose departure was never published, and repeats
// something of the old epoch.
func epoch() consumetest.Sequence {
	s := begin("epoch", "6f1d")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	old := s.events()
	s.next.Epoch, s.next.Sequence, s.next.Provenance, s.roster = s.next.Epoch+60_000, 0, rollcall.ProvenanceBaseline, nil
	s.tell(rollcall.MeetingStarted)
	s.tell(rollcall.ParticipantJoined, "u2", "u3")
	return append(s.events(), old[1])
}

// gap leaves out that somebody left, asks, and then sends the record.
func gap() ([][][]byte, error) {
	s := begin("gap", "6f1e")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.tell(rollcall.ParticipantLeft, "u1")
	s.tell(rollcall.ParticipantJoined, "u3")
	before := s.events()
	record, err := lastRecords(before)
	s.tell(rollcall.ParticipantLeft, "u2")
	return [][][]byte{data(before.Gap(3)), append(record, data(s.events()[len(before):])...)}, err
}

// partial sends the record of a part of a poll late, as a replica that lags does.
func partial() ([][][]byte, error) {
	s := begin("partial", "6f26")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	told := s.events()
	whole, err := told.PartialRecord()
	return [][][]byte{append(data(told), recordLine(whole[2]))}, err
}

// watch has nobody look for a while.
func watch() ([][][]byte, error) {
	s := begin("watch", "6f27")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	before := len(s.told)
	s.tell(rollcall.ParticipantLeft, "u1")
	lines := data(s.events())
	e := rollcall.WatchEvent{
		Tenant: "watch", Shards: 1, Epoch: s.next.Epoch, Sequence: 3, Type: rollcall.WatchLost, Reason: rollcall.ReasonUnreachable,
		Provenance: rollcall.ProvenanceObserved, Window: s.next.Window,
	}
	lost, err := wire.EncodeWatch("", &e)
	e.Type, e.Sequence = rollcall.WatchResumed, 4
	resumed, wrong := wire.EncodeWatch("", &e)
	return [][][]byte{append(slices.Insert(lines, before, lost), resumed)}, errors.Join(err, wrong)
}

// backwards has a worker take over whose clock is behind.
func backwards() consumetest.Sequence {
	s := begin("time", "6f1f")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.back()
	s.tell(rollcall.ParticipantLeft, "u1")
	s.tell(rollcall.ParticipantJoined, "u3")
	s.back()
	s.tell(rollcall.ParticipantLeft, "u3")
	return s.events()
}

func unknown() consumetest.Sequence {
	s := begin("unknown", "6f20")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.tell(rollcall.ParticipantLeft, "u1")
	return s.events().UnknownType(2)
}

// newer has a participant.left come first in schema 2, where it may mean
// anything, as what joins.
func newer() consumetest.Sequence {
	s := begin("newer", "6f21")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	joined := s.events()
	s = begin("newer", "6f21")
	s.tell(rollcall.ParticipantJoined, "u1")
	s.tell(rollcall.ParticipantLeft, "u1")
	other := s.events().NewerSchema(2)
	return append(joined[:2:2], other[2], joined[2])
}

func baseline() consumetest.Sequence {
	s := begin("baseline", "6f22")
	s.next.Provenance = rollcall.ProvenanceBaseline
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.next.Provenance = rollcall.ProvenanceObserved
	s.tell(rollcall.ParticipantJoined, "u3")
	return s.events()
}

func untracked() consumetest.Sequence {
	s := begin("untracked", "6f23")
	s.tell(rollcall.ParticipantJoined, "u1", "u2")
	s.tell(rollcall.MeetingUntracked)
	return s.events()
}

func anonymous() consumetest.Sequence {
	s := begin("anonymous", "6f24")
	s.tell(rollcall.ParticipantJoined, "anon:Guest#1", "anon:Guest#2", "anon:Guest#3")
	s.tell(rollcall.ParticipantLeft, "anon:Guest#1")
	return s.events()
}

func tenants() consumetest.Sequence {
	one, other := begin("tenants", "6f25"), begin("tenants-too", "6f25")
	one.tell(rollcall.ParticipantJoined, "u1", "u2")
	other.tell(rollcall.ParticipantJoined, "u3")
	return append(one.events(), other.events()...)
}
