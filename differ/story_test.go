package differ

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rollcall"
)

// A story is a file that can be read without knowing Go:
//
//	before    a poll whose events are of no interest
//	answer    a poll: what it says of the meeting, then "people", then one line
//	          each: user id, nick, attendance, devices. - is empty, ? is unsaid
//	events    what the poll before it must have led to, exactly. reason and
//	          provenance (observed unless said) are always compared, other
//	          words only where they stand
//	roster, oddities   exactly; what of the roster is closed, empty or false
//	          goes unsaid
//	record    some facts of the record
//
// Polls are 15 seconds apart, from 10:00:00, and answered after one second.

type story struct {
	name  string
	parts []txtar.File
}

func loadStories(t testing.TB) []story {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("find stories: %v, %d found", err, len(paths))
	}
	stories := make([]story, 0, len(paths))
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stories = append(stories, story{strings.TrimSuffix(filepath.Base(path), ".txtar"), a.Files})
	}
	return stories
}

func TestStories(t *testing.T) {
	table := eventRules()
	for _, st := range loadStories(t) {
		t.Run(st.name, func(t *testing.T) {
			for _, complaint := range st.run(table[:]) {
				t.Error(complaint)
			}
		})
	}
}

// The laws hold in every story.
func TestStoriesObeyTheLaws(t *testing.T) {
	for _, st := range loadStories(t) {
		t.Run(st.name, func(t *testing.T) {
			var teller teller
			book := attendanceBook{}
			for _, part := range st.parts {
				if part.Name != "before" && part.Name != "answer" {
					continue
				}
				look, rules := teller.look(strings.Split(strings.TrimSpace(string(part.Data)), "\n"))
				teller.polls++
				p, err := lawful(teller.record, look, rules)
				if err != nil {
					t.Fatalf("poll %d: %v", teller.polls, err)
				}
				if err := book.hear(p.res.Events); err != nil {
					t.Fatalf("poll %d: %v", teller.polls, err)
				}
				teller.record = p.res.Record
			}
		})
	}
}

// run plays the story with the given rules and says what is not as told.
func (st story) run(table []rule) (complaints []string) {
	teller := teller{table: table}
	checks := 0
	for _, part := range st.parts {
		text := strings.TrimSpace(string(part.Data))
		var lines []string
		if text != "" {
			lines = strings.Split(text, "\n")
		}
		var got string
		switch part.Name {
		case "before", "answer":
			teller.poll(lines)
			continue
		case "events":
			got = teller.checkEvents(lines)
		case "roster":
			got = cmp.Diff(lines, teller.roster())
		case "oddities":
			got = cmp.Diff(lines, teller.oddities())
		case "record":
			got = teller.checkRecord(lines)
		default:
			got = "unknown part"
		}
		checks++
		if got != "" {
			complaints = append(complaints, fmt.Sprintf("poll %d, %s: %s", teller.polls, part.Name, got))
		}
	}
	if checks == 0 {
		complaints = append(complaints, "the story expects nothing")
	}
	return complaints
}

// teller plays the polls of a story one after the other.
type teller struct {
	table  []rule
	polls  int
	record *rollcall.Record
	result Result
	epochs []int64
}

func clock(text string) time.Time {
	if text == "-" {
		return time.Time{}
	}
	at, err := time.Parse(time.TimeOnly, text)
	if err != nil {
		panic(err)
	}
	return at.AddDate(2026, 2, 1)
}

func (tl *teller) poll(lines []string) {
	look, rules := tl.look(lines)
	tl.polls++
	tl.result = compared(tl.table, tl.record, look, rules)
	tl.record = tl.result.Record
	if tl.record != nil && !slices.Contains(tl.epochs, tl.record.Epoch) {
		tl.epochs = append(tl.epochs, tl.record.Epoch)
	}
}

func (tl *teller) look(lines []string) (Look, Rules) {
	asked := clock("10:00:00").Add(time.Duration(tl.polls) * 15 * time.Second)
	look := Look{
		Tenant: "acme", ConferenceID: "c1", Kind: rollcall.SightingListed, Answer: &rollcall.Answer{},
		Number: rollcall.Number{Term: 1, Poll: uint64(tl.polls + 1)}, AskedAt: asked, AnsweredAt: asked.Add(time.Second),
	}
	var rules Rules
	for _, line := range lines {
		readLookLine(&look, &rules, strings.Fields(line))
	}
	if look.Kind != rollcall.SightingListed {
		look.Answer = nil
	}
	return look, rules
}

func kind(word string) rollcall.SightingKind {
	switch word {
	case "ended":
		return rollcall.SightingEnded
	case "ongoing":
		return rollcall.SightingOngoing
	case "missed":
		return rollcall.SightingMissed
	case "untracked":
		return rollcall.SightingUntracked
	case "summarized":
		return rollcall.SightingSummarized
	case "members":
		return rollcall.SightingMembers
	case "nothing":
		return 0
	}
	panic("no such look: " + word)
}

func readLookLine(look *Look, rules *Rules, f []string) {
	a := look.Answer
	if a != nil && a.Listed {
		a.Entries = append(a.Entries, readEntry(f))
		return
	}
	switch f[0] {
	case "asked":
		look.AskedAt = clock(f[1])
	case "answered":
		look.AnsweredAt = clock(f[1])
	case "after":
		look.After = clock(f[1])
	case "began":
		look.StartTime = clock(f[1])
	case "end":
		look.EndTime = clock(f[1])
	case "labels":
		look.Labels = rollcall.Labels{}
		for _, label := range f[1:] {
			key, text, _ := strings.Cut(label, "=")
			look.Labels[key] = text
		}
	case "reason":
		look.Reason = rollcall.Reason(f[1])
	case "member":
		look.Members = append(look.Members, readMember(f[1:]))
	case "sequence":
		look.Sequence = uint64(number(f[1]))
	case "attended":
		look.Summary = &rollcall.Summary{Attended: number(f[1])}
	case "omit":
		switch f[1] {
		case "nicks":
			rules.OmitNicks = true
		case "ids":
			rules.Pseudonyms = rollcall.NewPseudonyms([]byte(f[2]), "acme")
		}
	case "forget":
		look.Kind, look.Forgotten = rollcall.SightingForgotten, f[1]
	case "misses":
		rules.MissingAfterPolls = number(f[2])
	case "look":
		if f[1] == "undecoded" {
			look.Answer = nil
			return
		}
		look.Kind = kind(f[1])
	case "status":
		a.Status, _ = rollcall.ParseStatus(f[1])
	case "title":
		a.Title = value(f[1])
	case "starts":
		a.StartTime = clock(f[1])
	case "media":
		a.Media, a.MediaGiven = rollcall.Media(number(f[1])), true
	case "odd":
		a.Oddities = append(a.Oddities, rollcall.Oddity{Field: f[1], Value: f[2]})
	case "people":
		a.Listed, a.Partial = true, len(f) > 1 && f[1] == "incomplete"
	default:
		panic("no such word: " + f[0])
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func number(word string) int { return must(strconv.Atoi(word)) }

// value reads - as nothing and x*300 as 300 times x.
func value(word string) string {
	if word == "-" {
		return ""
	}
	if unit, times, ok := strings.Cut(word, "*"); ok {
		return strings.Repeat(unit, number(times))
	}
	return word
}

func readEntry(f []string) rollcall.Entry {
	e := rollcall.Entry{UserID: value(f[0]), Nick: value(f[1])}
	e.Attendance, _ = rollcall.ParseAttendance(f[2])
	for _, word := range f[3:] {
		key, val, _ := strings.Cut(word, "=")
		switch field := fieldOf(&e, key).Addr().Interface().(type) {
		case *string:
			*field = val
		case *bool:
			*field = must(strconv.ParseBool(val))
		case *rollcall.Device:
			*field, _ = rollcall.ParseDevice(val)
		default:
			panic(fmt.Sprintf("readEntry cannot read %s, a %T", word, field))
		}
	}
	return e
}

func readMember(f []string) rollcall.Member {
	m := rollcall.Member{UserID: value(f[0])}
	m.Attendance, _ = rollcall.ParseAttendance(f[1])
	for _, word := range f[2:] {
		key, val, _ := strings.Cut(word, "=")
		*fieldOf(&m, key).Addr().Interface().(*rollcall.Fact) = rollcall.FactOf(must(strconv.ParseBool(val)))
	}
	return m
}

// fieldOf returns the field of a struct whose name begins with that word.
func fieldOf(s any, word string) reflect.Value {
	v := reflect.ValueOf(s).Elem()
	field := v.FieldByNameFunc(func(name string) bool { return strings.HasPrefix(strings.ToLower(name), word) })
	if !field.IsValid() {
		panic(fmt.Sprintf("no field of %s begins with %s", v.Type(), word))
	}
	return field
}

func (tl *teller) checkEvents(lines []string) string {
	var got, want []string
	for i, line := range lines {
		f := strings.Fields(line)
		want = append(want, normal(f))
		if i < len(tl.result.Events) {
			got = append(got, tl.tell(&tl.result.Events[i], f))
		}
	}
	for i := len(lines); i < len(tl.result.Events); i++ {
		got = append(got, tl.tell(&tl.result.Events[i], nil))
	}
	return cmp.Diff(want, got)
}

// normal writes an expected event with its reason and provenance in their places.
func normal(f []string) string {
	head, reason, provenance, rest := []string{}, "", "observed", []string{}
	for _, word := range f {
		key, val, said := strings.Cut(word, "=")
		switch {
		case !said:
			head = append(head, value(word))
		case key == "reason":
			reason = val
		case key == "provenance":
			provenance = val
		default:
			rest = append(rest, word)
		}
	}
	return strings.Join(slices.Concat(head, []string{"reason=" + reason, "provenance=" + provenance}, rest), " ")
}

// tell writes an event with the words that the expected line has.
func (tl *teller) tell(e *rollcall.Event, words []string) string {
	out := []string{string(e.Type)}
	if e.Participant != nil {
		out = append(out, e.Participant.Key)
	}
	out = append(out, "reason="+string(e.Reason), "provenance="+string(e.Provenance))
	for _, word := range words {
		key, _, said := strings.Cut(word, "=")
		if said && key != "reason" && key != "provenance" {
			out = append(out, key+"="+tl.word(e, key))
		}
	}
	return strings.Join(out, " ")
}

func (tl *teller) word(e *rollcall.Event, key string) string {
	switch key {
	case "window":
		return hour(e.Window.After) + ".." + hour(e.Window.Before)
	case "time":
		return hour(e.Time)
	case "exact":
		return strconv.FormatBool(e.Exact)
	case "endtime":
		return hour(e.Meeting.EndTime)
	case "labels":
		return labelText(e.Labels)
	case "poll":
		return fmt.Sprintf("%d/%d", e.Index, e.Count)
	case "seq":
		return strconv.FormatUint(e.Sequence, 10)
	case "epoch":
		if e.Epoch == tl.epochs[0] {
			return "first"
		}
		if e.Epoch == slices.Max(tl.epochs) {
			return "new"
		}
		return "old"
	case "title":
		return e.Meeting.Title
	case "status":
		return e.Meeting.Status.String()
	case "present":
		return strconv.Itoa(e.Meeting.Present)
	}
	if key == "attended" {
		return strconv.Itoa(e.Summary.Attended)
	}
	return fmt.Sprint(fieldOf(e.Participant, key))
}

// labelText writes labels as a:b,c:d.
func labelText(labels rollcall.Labels) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, key+":"+labels[key])
	}
	return strings.Join(out, ",")
}

func hour(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.TimeOnly)
}

func (tl *teller) roster() (lines []string) {
	for _, p := range tl.record.Roster {
		line := p.Key + " " + p.Nick + " " + p.Attendance.String()
		asked := rollcall.Participant{Key: p.Key, UserID: p.UserID, Nick: p.Nick, Session: p.Session}
		setAttendance(&asked, p.Attendance)
		for f, said := range reflect.ValueOf(p).Fields() {
			if !said.Equal(reflect.ValueOf(asked).FieldByIndex(f.Index)) {
				line += stateText(f.Name, said)
			}
		}
		lines = append(lines, line+" session="+strconv.Itoa(p.Session))
	}
	return lines
}

// stateText writes what a field says, and of the roles those that are known.
func stateText(name string, said reflect.Value) (text string) {
	if said.Kind() != reflect.Struct {
		return fmt.Sprintf(" %s=%v", strings.ToLower(name), said)
	}
	for f, one := range said.Fields() {
		if !one.IsZero() {
			text += stateText(f.Name, one)
		}
	}
	return text
}

func (tl *teller) oddities() (lines []string) {
	for _, o := range tl.result.Oddities {
		lines = append(lines, o.Field+" "+o.Value)
	}
	return lines
}

func (tl *teller) checkRecord(lines []string) string {
	for _, line := range lines {
		f := strings.Fields(line)
		if got := tl.fact(f); got != line {
			return fmt.Sprintf("want %q, got %q", line, got)
		}
	}
	return ""
}

// fact tells of the record what the words ask for.
func (tl *teller) fact(f []string) string {
	r := tl.record
	if r == nil {
		return "unrecorded"
	}
	switch f[0] {
	case "changed", "unchanged":
		return map[bool]string{true: "changed", false: "unchanged"}[tl.result.Changed]
	case "tracked", "untracked":
		if r.Untracked && len(f) > 1 {
			return "untracked because " + string(r.EndReason)
		}
		return map[bool]string{true: "untracked", false: "tracked"}[r.Untracked]
	case "summarized":
		return map[bool]string{true: "summarized", false: "summarized no"}[r.Summarized]
	case "roles":
		return "roles " + hour(r.RolesAt)
	case "labels":
		return strings.TrimSpace("labels " + labelText(r.Labels))
	case "erased":
		return "erased " + strings.Join(r.Erased, " ")
	case "endtime":
		return "endtime " + hour(r.Meeting.EndTime)
	case "status":
		return "status " + r.Meeting.Status.String()
	case "title":
		return "title " + r.Meeting.Title
	case "media":
		return fmt.Sprintf("media %d", r.Meeting.Media)
	case "sequence":
		return fmt.Sprintf("sequence %d", r.Sequence)
	case "misses":
		return fmt.Sprintf("misses %d", r.Misses)
	case "ended":
		return fmt.Sprintf("ended %s %s", r.EndReason, hour(r.EndedAt))
	case "gone":
		for _, m := range r.Memory {
			if p := m.Participant; p.Key == f[1] {
				return "gone " + p.Key + " " + p.Attendance.String()
			}
		}
		return "not remembered: " + f[1]
	}
	return "no such fact: " + f[0]
}
