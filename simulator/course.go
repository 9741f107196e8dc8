package simulator

import (
	"math/rand/v2"

	"rollcall"
)

// chanceFact lets chance strike once, and sets the next time such that the
// rate holds however many facts came of it.
func (w *world) chanceFact() {
	before := w.facts.last()
	for tries := 0; w.facts.last() == before && tries < 20; tries++ {
		w.chanceAct()
	}
	for range max(1, w.facts.last()-before) {
		w.tick = w.tick.Add(w.gap())
	}
}

// chanceAct draws a meeting and something that may happen there. What cannot
// happen is refused by its verb.
func (w *world) chanceAct() {
	m := draw(w.rng, w.seats)
	if m.over() || len(m.lines) == 0 {
		return
	}
	act := Act{ConferenceID: m.id}
	if w.rng.IntN(100) < 4 {
		act.Verb = draw(w.rng, []string{"rename", "mute_all", "unmute_all", "unmute_all", "mute_mics", "unmute_mics", "close_cameras", "reopen_cameras"})
		act.Title = w.cfg.title(w.rng)
		_ = w.verbs[act.Verb].happen(w, act)
		return
	}
	d := draw(w.rng, m.lines)
	act.Verb = chanceVerb(w.rng, d.Attendance)
	if m.media.Has(rollcall.MediaMuteAll) && act.Verb == "mic_on" && !d.host {
		act.Verb = "camera_on"
	}
	w.chancePerson(m, d, act)
}

// chancePerson lets a drawn act happen to exactly the drawn device.
func (w *world) chancePerson(m *meeting, d *device, act Act) {
	act.UserID, act.Nick, act.Device = d.UserID, d.Nick, 0
	for _, other := range m.lines[:d.Number] {
		if other.UserID == d.UserID && (d.UserID != "" || other.Nick == d.Nick) {
			act.Device++
		}
	}
	act.Drop = w.cfg.Gone == GoneDropped || w.cfg.Gone == GoneMixed && w.rng.IntN(2) == 0
	switch act.Verb {
	case "decline":
		act.RejectDescription = excuse(w.rng)
	case "rename_user":
		if act.Nick = w.cfg.nick(w.rng); d.UserID == "" || act.Nick == d.Nick {
			return
		}
	case "delist":
		if w.cfg.Gone == GoneListed {
			return
		}
	}
	_ = w.verbs[act.Verb].happen(w, act)
}

// odds is a verb and how often it comes up among the others.
type odds struct {
	verb   string
	weight int
}

// chanceVerb draws what somebody of an attendance does next. About half of a
// meeting's people are present on average.
func chanceVerb(rng *rand.Rand, from rollcall.Attendance) string {
	switch {
	case from == rollcall.AttendancePresent:
		return weigh(rng, []odds{{"mic_on", 24}, {"mic_off", 24}, {"camera_on", 14}, {"camera_off", 14}, {"leave", 17}, {"kick", 4}, {"rename_user", 3}})
	case from == rollcall.AttendanceInvited:
		return weigh(rng, []odds{{"call", 35}, {"join", 40}, {"decline", 10}, {"fail", 10}, {"withdraw", 5}})
	case from == rollcall.AttendanceJoining:
		return weigh(rng, []odds{{"join", 72}, {"decline", 12}, {"fail", 13}, {"withdraw", 3}})
	case from.Gone():
		return weigh(rng, []odds{{"join", 45}, {"invite", 20}, {"call", 20}, {"delist", 15}})
	}
	return weigh(rng, []odds{{"join", 50}, {"invite", 35}, {"call", 15}})
}

func weigh(rng *rand.Rand, choices []odds) string {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	n := rng.IntN(total)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			return c.verb
		}
	}
	return choices[0].verb
}

// populate puts a meeting in full swing: most are there, some are on their
// way. Every fourth meeting has not started yet, and so have all of an empty world.
func (w *world) populate(m *meeting) {
	if w.cfg.Empty {
		return
	}
	waiting := m.ordinal%4 == 3
	for _, d := range m.lines {
		verb := weigh(w.rng, []odds{{"join", 60}, {"invite", 12}, {"call", 8}, {"", 20}})
		if waiting && verb == "join" {
			verb = "invite"
		}
		if verb == "" || d.Number == 1 && waiting {
			continue
		}
		w.chancePerson(m, d, Act{Verb: verb, ConferenceID: m.id})
		if verb == "join" && w.rng.IntN(3) == 0 {
			w.chancePerson(m, d, Act{Verb: "mic_on", ConferenceID: m.id})
		}
		if verb == "join" && w.rng.IntN(2) == 0 {
			w.chancePerson(m, d, Act{Verb: "camera_on", ConferenceID: m.id})
		}
	}
}
