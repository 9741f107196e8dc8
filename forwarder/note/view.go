package note

import (
	"maps"
	"slices"
	"time"

	"rollcall"
)

// view makes pages of notes for one markup.
type view struct {
	markup Markup
	words  words
	clock
}

// words are those that stand in for what is not there.
type words struct{ nameless, untitled, meeting string }

func (v *view) text(s string, runes int) Text { return Text(v.markup.Text(clip(s, runes))) }

// or is s, and words where it is empty.
func (v *view) or(s string, runes int, words string) Text {
	if s = clip(s, runes); s == "" {
		return Text(words)
	}
	return Text(v.markup.Text(s))
}

// page returns what the templates have of the note.
func (v *view) page(n *Note) *page {
	p := &page{
		Kind: string(n.Kind), Others: v.others(&n.Others), When: v.span(n.Window), Failure: v.failure(&n.Failure),
		Events: n.Account.Events, Undone: n.Account.Undone, Cut: n.Account.Cut, LastOfMonth: n.LastOfMonth,
	}
	alone := len(n.Meetings) == 1 && len(n.Watches) == 0 && p.Others == nil
	totals := maps.Clone(n.Others.Counts)
	if totals == nil {
		totals = map[rollcall.Type]int{}
	}
	found := n.Others.Found
	for i := range n.Meetings {
		if n.Meetings[i].Found != nil && !alone {
			found++
		}
		told := n.Meetings[i].totals()
		p.Meetings = append(p.Meetings, v.meeting(&n.Meetings[i], told, alone))
		for t, number := range told {
			totals[t] += number
		}
	}
	for i := range n.Watches {
		p.Watches = append(p.Watches, v.watch(&n.Watches[i]))
		totals[n.Watches[i].kind()]++
	}
	p.Totals, p.All = v.countsOf(totals, alone), len(n.Meetings)+n.Others.Meetings
	if found > 0 {
		p.Totals = append([]count{{N: found, Of: "found"}}, p.Totals...)
	}
	p.Timed = p.Failure != nil || len(n.Meetings) == 0 && p.Others == nil || alone && len(n.Meetings[0].Counts) == 0
	if alone {
		if p.Meeting = p.Meetings[0]; n.Kind == Sample { // its title says something else
			p.Meeting.Line = nil
		}
	}
	if len(n.Watches) == 1 && len(n.Meetings) == 0 && p.Others == nil {
		p.Watch = p.Watches[0]
	}
	return p
}

// totals counts everything that is told of the meeting.
func (m *Meeting) totals() map[rollcall.Type]int {
	all := map[rollcall.Type]int{}
	maps.Copy(all, m.Counts)
	for i := range m.Lines {
		all[m.Lines[i].Type]++
	}
	return all
}

func (v *view) meeting(m *Meeting, totals map[rollcall.Type]int, alone bool) *meetingPage {
	p := &meetingPage{
		Name: v.or(m.State.Title, maxTitle, v.words.untitled), Title: v.text(m.State.Title, maxTitle), ID: v.text(m.ConferenceID, maxTitle),
		Tenant: v.text(m.Tenant, maxName), Labels: map[string]Text{}, Status: m.State.Status.String(), Present: m.State.Present,
		Start: v.at(m.State.StartTime), Found: v.found(m.Found),
		Counts: v.countsOf(m.Counts, alone), Totals: v.countsOf(totals, alone), Attended: m.Attended, Unnamed: m.Attended - len(m.Attendance),
	}
	for key, value := range m.Labels {
		p.Labels[key] = v.text(value, maxTitle)
	}
	for i := range m.Lines {
		p.Lines = append(p.Lines, v.line(&m.Lines[i]))
		if p.Over = over(m.Lines[i].Type); p.Over {
			p.Lasted = lasted(&m.Lines[i])
		}
	}
	if p.Found == nil && len(p.Counts) == 0 {
		p.share()
	}
	if len(p.Lines) == 1 && p.Found == nil && len(p.Counts) == 0 {
		p.Line = p.Lines[0]
	}
	for i := range m.Attendance {
		a := &m.Attendance[i]
		p.Attendance = append(p.Attendance, attendeePage{
			v.or(a.Nick, maxName, v.words.nameless), stayOf(a.Stay.Min, a.Stay.Max), a.Visits, a.KickedOut,
		})
	}
	return p
}

// share says the time once where all lines have the same.
func (p *meetingPage) share() {
	for _, l := range p.Lines {
		if *l.When != *p.Lines[0].When {
			return
		}
	}
	for _, l := range p.Lines {
		l.Told, p.When = true, l.When
	}
}

func (v *view) line(l *Line) *linePage {
	p := &linePage{
		Type: string(l.Type), About: about(l.Type), Known: knownType(l.Type), Subject: Text(v.words.meeting), Was: v.text(l.Before, maxName),
		Title: v.text(l.Meeting.Title, maxTitle), Present: l.Meeting.Present, Start: v.at(l.Meeting.StartTime),
		Reason: v.text(string(l.Reason), maxName), Provenance: string(l.Provenance), When: v.span(l.Window),
		Mic:    slices.Contains(l.With, rollcall.ParticipantMicOpened),
		Camera: slices.Contains(l.With, rollcall.ParticipantCameraOpened),
	}
	if l.Exact {
		p.When = v.at(l.At)
	}
	if !p.Known {
		p.Type = v.markup.Text(clip(p.Type, maxTitle))
	}
	if l.Person != nil {
		p.About = "person"
		p.Subject = v.or(l.Person.Nick, maxName, v.words.nameless)
		p.Host, p.CoHost = l.Person.Host == rollcall.FactTrue, l.Person.CoHost == rollcall.FactTrue
		p.Key, p.Why = v.text(l.Person.Key, maxName), v.text(l.Person.RejectDescription, maxReason)
	}
	return p
}

// lasted is how long a meeting went on that has ended; nil where nobody knows.
func lasted(l *Line) *stay {
	start := l.Meeting.StartTime
	if l.Type != rollcall.MeetingEnded || start.IsZero() || l.At.Before(start) {
		return nil
	}
	from, to := l.Window.After, l.Window.Before
	if l.Exact {
		from, to = l.At, l.At
	}
	if from.IsZero() {
		return nil
	}
	s := stayOf(max(0, from.Sub(start)), to.Sub(start))
	return &s
}

func (v *view) found(f *Finding) *foundPage {
	if f == nil {
		return nil
	}
	return &foundPage{f.State.Status.String(), f.State.Present, f.Invited, v.at(f.State.StartTime), v.at(f.At)}
}

func (v *view) others(o *Others) *othersPage {
	if o.Meetings == 0 && len(o.Counts) == 0 {
		return nil
	}
	return &othersPage{o.Meetings, o.Found, v.countsOf(o.Counts, false)}
}

func (v *view) watch(w *Watch) *watchPage {
	return &watchPage{
		Tenant: v.text(w.Tenant, maxName), Resumed: w.Resumed, Reason: v.text(string(w.Reason), maxName), Provenance: string(w.Provenance),
		Shards: w.Shards, Of: w.Of, Since: v.at(w.Window.After), When: v.span(w.Window),
	}
}

func (w *Watch) kind() rollcall.Type {
	if w.Resumed {
		return rollcall.WatchResumed
	}
	return rollcall.WatchLost
}

func (v *view) failure(f *Failure) *failurePage {
	if f.Target == "" {
		return nil
	}
	return &failurePage{
		v.text(f.Target, maxName), f.Class, v.text(f.Detail, maxDetail), v.at(f.Since), v.at(f.Until), f.Waiting, f.Healed,
	}
}

// countsOf sorts numbers by category; types without words come last.
func (v *view) countsOf(numbers map[rollcall.Type]int, alone bool) []count {
	var counts []count
	rest := maps.Clone(numbers)
	for _, c := range categories() {
		n := 0
		for _, t := range c.types {
			n += numbers[t]
			delete(rest, t)
		}
		if n > 0 {
			counts = append(counts, count{N: n, Of: c.name, Bare: alone && n == 1})
		}
	}
	for _, t := range slices.Sorted(maps.Keys(rest)) {
		counts = append(counts, count{N: rest[t], Of: "unknown", Type: v.text(string(t), maxTitle)})
	}
	return counts
}

// now is when the note is told.
func (n *Note) now() time.Time {
	if n.At.IsZero() {
		return n.Window.Before
	}
	return n.At
}
