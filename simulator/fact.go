package simulator

import (
	"time"

	"rollcall"
)

// ParticipantDelisted is the one type of fact that is no event of Rollcall's:
// somebody who is gone already is taken off the userList.
const ParticipantDelisted rollcall.Type = "participant.delisted"

// Fact is one thing that happened in the world. Facts are numbered from 1 and
// their times never go back.
//
// A fact is about one device: a person on two devices joins twice. Somebody who
// leaves with an open microphone makes two facts at one instant, the
// microphone's first.
type Fact struct {
	Number       uint64
	At           time.Time // UTC, exact
	ConferenceID string
	Type         rollcall.Type
	Reason       rollcall.Reason
	// Meeting is the meeting afterwards. Its title is not cut; Present counts
	// devices.
	Meeting rollcall.Conference
	// Line is the device afterwards; its Number is 0 where the fact is about
	// the whole meeting.
	Line Line
}

// Line is one place in a meeting's userList: one person on one device.
type Line struct {
	Number int // of this device in its meeting, from 1; it never changes
	Listed bool
	// Entry holds what the userList says; its texts are not cut.
	rollcall.Entry
}

// book folds the facts of one meeting.
type book struct {
	meeting rollcall.Conference
	lines   []Line
}

func (b *book) apply(f Fact) {
	b.meeting = f.Meeting
	if f.Line.Number == 0 {
		return
	}
	for len(b.lines) < f.Line.Number {
		b.lines = append(b.lines, Line{})
	}
	b.lines[f.Line.Number-1] = f.Line
}

func (b *book) clone() *book {
	return &book{meeting: b.meeting, lines: append([]Line(nil), b.lines...)}
}

func (b *book) truth() Truth {
	var entries []rollcall.Entry
	for _, line := range b.lines {
		if line.Listed {
			entries = append(entries, line.Entry)
		}
	}
	return newTruth(b.meeting, entries)
}
