package note

import (
	"cmp"
	"maps"
	"slices"

	"rollcall"
)

// defaultLines is how many lines a note has that are told one by one.
const defaultLines = 10

// Note returns what is to be told: nothing where [Account.Told] and
// [Account.Digested] are 0. The kind "" chooses single, found or digest, whichever
// fits. More than maxLines lines (0: 10) become numbers, but for up to twice as
// many of what matters most: kicks, ends, starts. The batch stays as it is.
func (b *Batch) Note(kind Kind, maxLines int) Note {
	if maxLines <= 0 {
		maxLines = defaultLines
	}
	n := Note{Kind: kind, Window: b.window, Account: Account{Events: b.events, Undone: b.undone, Cut: b.cut}}
	var events int
	n.Watches, events = b.outlook()
	n.Account.Told = events
	n.Others = Others{Meetings: len(b.others), Counts: maps.Clone(b.rest)}
	lines, found := len(n.Watches), 0
	for _, g := range b.order {
		m := g.compose()
		if m.Found == nil && len(m.Lines) == 0 && len(m.Counts) == 0 {
			continue
		}
		n.Meetings = append(n.Meetings, m)
		if lines += len(m.Lines); m.Found != nil {
			lines, found = lines+1, found+1
		}
	}
	digest := lines > maxLines || b.counted()
	if digest {
		n.shorten(2 * maxLines)
	}
	n.settle()
	if kind == "" {
		n.Kind = kindOf(&n, digest, lines, found)
	}
	return n
}

func kindOf(n *Note, digest bool, lines, found int) Kind {
	switch {
	case digest:
		return Digest
	case found == 1 && lines == 1:
		return Found
	}
	return Single
}

// counted reports whether something can be told by number only.
func (b *Batch) counted() bool {
	return len(b.rest) > 0 || slices.ContainsFunc(b.order, func(g *gathering) bool { return len(g.Counts) > 0 })
}

// settle completes the account: what is told by a line, and what by a number.
func (n *Note) settle() {
	a := &n.Account
	for i := range n.Meetings {
		m := &n.Meetings[i]
		for j := range m.Lines {
			a.Told += 1 + len(m.Lines[j].With)
		}
		if a.Digested += sum(m.Counts); m.Found != nil {
			a.Digested += m.Found.Events
		}
	}
	a.Digested += sum(n.Others.Counts) + n.Others.Baseline
}

func sum(counts map[rollcall.Type]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// compose returns what there is to say of the meeting, without changing what is held.
func (g *gathering) compose() Meeting {
	m := g.Meeting
	m.Counts, m.Lines = maps.Clone(g.Counts), nil
	if g.Found != nil {
		found := *g.Found
		m.Found = &found
	}
	hosts, line := g.hosts(), map[int]int{}
	for i, it := range g.items {
		if !it.undone && hosts[i] == i {
			line[i] = len(m.Lines)
			m.Lines = append(m.Lines, it.Line)
		}
	}
	for i, it := range g.items {
		if it.undone || hosts[i] == i {
			continue
		}
		host := &m.Lines[line[hosts[i]]]
		host.With = append(host.With, it.Type)
	}
	return m
}

// personal is a participant at one look.
type personal struct {
	key   string
	epoch int64
	poll  [2]int64
	comes bool
}

// hosts returns for each item the index of that whose line tells it: its own,
// that of the coming or going of the person whose device it is, or that of the end
// with which everybody goes.
func (g *gathering) hosts() []int {
	at := make([]int, len(g.items))
	moves, end := map[personal]int{}, -1
	for i := len(g.items) - 1; i >= 0; i-- {
		at[i] = i
		it := g.items[i]
		switch {
		case it.undone:
		case it.Type == rollcall.MeetingEnded:
			end = i
		case it.Type == rollcall.MeetingStarted:
			end = -1
		case it.Reason == rollcall.ReasonMeetingEnded && end >= 0:
			at[i] = end
		}
		if comes, moving := move(it.Type); moving && !it.undone {
			moves[it.personal(comes)] = at[i]
		}
	}
	for i, it := range g.items {
		if opened, ok := device(it.Type); ok && !it.undone {
			if host, moved := moves[it.personal(opened)]; moved {
				at[i] = host
			}
		}
	}
	return at
}

// move reports whether somebody comes or goes.
func move(t rollcall.Type) (comes, ok bool) {
	switch t {
	case rollcall.ParticipantJoined:
		return true, true
	case rollcall.ParticipantLeft, rollcall.ParticipantKickedOut:
		return false, true
	}
	return false, false
}

func (l *Line) personal(comes bool) personal {
	key := ""
	if l.Person != nil {
		key = l.Person.Key
	}
	return personal{key, l.Epoch, [2]int64{l.Window.After.UnixNano(), l.Window.Before.UnixNano()}, comes}
}

// shorten makes numbers of all lines but those that matter most, of which there
// are as many as room has, and as many meetings.
func (n *Note) shorten(room int) {
	stays := n.foremost(room)
	told := 0
	for i := range n.Meetings {
		m := &n.Meetings[i]
		m.count(func(l *Line) bool { return stays[l.id()] })
		if len(m.Lines) > 0 {
			told++
		}
	}
	spare := room - told
	n.Meetings = slices.DeleteFunc(n.Meetings, func(m Meeting) bool {
		if len(m.Lines) > 0 {
			return false
		}
		spare--
		if spare < 0 {
			n.Others.add(&m)
		}
		return spare < 0
	})
}

// identity is that of an event.
type identity struct {
	place
	epoch    int64
	sequence uint64
}

func (l *Line) id() identity {
	return identity{place{l.Tenant, l.ConferenceID}, l.Epoch, l.Sequence}
}

// foremost returns the lines that a digest tells one by one: by what they are,
// and then as they came.
func (n *Note) foremost(room int) map[identity]bool {
	var lines []*Line
	for i := range n.Meetings {
		for j := range n.Meetings[i].Lines {
			if l := &n.Meetings[i].Lines[j]; rank(l.Type) > 0 {
				lines = append(lines, l)
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b *Line) int { return cmp.Compare(rank(b.Type), rank(a.Type)) })
	stays := map[identity]bool{}
	for _, l := range lines[:min(room, len(lines))] {
		stays[l.id()] = true
	}
	return stays
}

// count makes numbers of the meeting's lines that do not stay.
func (m *Meeting) count(stays func(*Line) bool) {
	counts := map[rollcall.Type]int{}
	maps.Copy(counts, m.Counts)
	m.Lines = slices.DeleteFunc(m.Lines, func(l Line) bool {
		if stays(&l) {
			return false
		}
		counts[l.Type]++
		for _, t := range l.With {
			counts[t]++
		}
		return true
	})
	m.Counts = counts
}

// add counts a meeting that has no place of its own.
func (o *Others) add(m *Meeting) {
	counts := map[rollcall.Type]int{}
	maps.Copy(counts, o.Counts)
	for t, count := range m.Counts {
		counts[t] += count
	}
	o.Counts = counts
	o.Meetings++
	if m.Found != nil {
		o.Found++
		o.Baseline += m.Found.Events
	}
}
