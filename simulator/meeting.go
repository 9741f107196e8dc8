package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"rollcall"
)

// maxListed is how many people DingTalk lets into one meeting.
const maxListed = 500

// meeting is a meeting of the world as it is now.
type meeting struct {
	id, title        string
	ordinal          int
	status           rollcall.Status
	media            rollcall.Media
	startsAt, endsAt time.Time // when it does so on its own; zero: never
	planned          time.Time // when it is to begin; zero: nobody has said
	started, ended   time.Time
	endStyle         EndStyle

	roomCode, scheduleID, link string
	creator                    person

	lines  []*device // by number
	listed []*device // in the order of the userList
	visits []*visit  // in the order in which they began
	raw    []byte    // the entry of infos; nil after a change
}

// device is a line with what only the sibling operations show of it.
type device struct {
	Line
	person          person
	outer           bool
	host, coHost    bool
	wasThere, asked bool
	last            *visit // nil: there was none
}

// visit is a stay of a device.
type visit struct {
	device       *device
	ordinal      int
	joined, left time.Time           // left is zero while it goes on
	how          rollcall.Attendance // how it ended
}

func (c Config) newMeeting(ordinal int, id, title string) *meeting {
	rng := c.chance(streamPool, uint64(ordinal))
	m := &meeting{id: id, title: title, ordinal: ordinal, status: rollcall.StatusInitialized, endStyle: c.EndStyle}
	if m.id == "" {
		m.id = c.conferenceID(ordinal)
	}
	if m.title == "" {
		m.title = c.title(rng)
	}
	m.roomCode = fmt.Sprintf("4%010d", rng.Uint64N(1e10))
	m.scheduleID = text(rng, hexDigits, 24)
	m.link = "https://meeting.dingtalk.com/app?roomCode=" + m.roomCode + "&token=1_" + text(rng, hexDigits, 32)
	m.creator = c.employee(ordinal)
	return m
}

// gather fills the pool of those who may come: employees, one stranger in
// eight, and one in six with a second device.
func (m *meeting) gather(c Config, people int) {
	rng := c.chance(streamPool, uint64(m.ordinal)+1<<32)
	staff := max(2*people, c.Meetings*people/2)
	order := rng.Perm(staff)
	m.addDevice(m.creator)
	for n := 1; n < people; n++ {
		who := c.employee(order[n])
		if rng.IntN(8) == 0 {
			who = stranger(rng)
		}
		if who.userID == m.creator.userID && who.userID != "" {
			continue
		}
		m.addDevice(who)
		if rng.IntN(6) == 0 && who.userID != "" {
			m.addDevice(who)
		}
	}
	m.appointHosts(rng)
}

func (m *meeting) appointHosts(rng *rand.Rand) {
	if len(m.lines) == 0 {
		return
	}
	m.lines[0].host = true
	m.lines[rng.IntN(len(m.lines))].coHost = true
}

func (m *meeting) addDevice(who person) *device {
	d := &device{person: who, outer: who.userID == ""}
	d.Number, d.UserID, d.Nick = len(m.lines)+1, who.userID, who.nick
	m.lines = append(m.lines, d)
	return d
}

// list puts a device on the userList or takes it off.
func (m *meeting) list(d *device, listed bool) {
	if d.Listed == listed {
		return
	}
	d.Listed = listed
	if listed {
		m.listed = append(m.listed, d)
		return
	}
	m.listed = slices.DeleteFunc(m.listed, func(other *device) bool { return other == d })
}

func (m *meeting) over() bool { return m.status == rollcall.StatusEnded }

// startTime is what DingTalk shows: when the meeting began, or is to begin.
func (m *meeting) startTime() time.Time {
	if m.started.IsZero() {
		return m.planned
	}
	return m.started
}

// running is what DingTalk calls an ongoing meeting.
func (m *meeting) running() bool { return m.status == rollcall.StatusStarted }

func (m *meeting) present() int {
	n := 0
	for _, d := range m.listed {
		if d.Attendance == rollcall.AttendancePresent {
			n++
		}
	}
	return n
}

func (m *meeting) conference() rollcall.Conference {
	return rollcall.Conference{
		Title: m.title, StartTime: m.startTime(), Status: m.status, Media: m.media, Present: m.present(),
	}
}

// due is when the meeting next does something on its own; zero: never.
func (m *meeting) due() time.Time {
	if m.status == rollcall.StatusInitialized && !m.startsAt.IsZero() {
		return m.startsAt
	}
	return m.endsAt
}
