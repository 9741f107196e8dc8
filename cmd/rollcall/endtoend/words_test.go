package endtoend_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unique"
)

// What stands here is read from the contract, not from rollcall's code: a
// judge that folded with the product's own Fold would share its mistakes.

// event is an event as a subscriber reads it.
type event struct {
	SpecVersion, ID, Source, Type, Subject, DataSchema, DataContentType, Sequence, PartitionKey string
	Time                                                                                        time.Time
	Data                                                                                        struct {
		Tenant, ConferenceID string
		Epoch                int64
		Sequence             int
		Poll                 struct{ Index, Count int }
		Meeting              meeting
		Participant          *person
		Reason, Provenance   string
		Window               struct {
			After  *time.Time
			Before time.Time
		}
	}
}

// meeting is a meeting as it stands in events and records.
type meeting struct {
	Title     string
	StartTime *time.Time
	Status    string
	Media     struct {
		MicMuted, CameraClosed, MuteAll bool
		Code                            int64
	}
	Present int
	EndTime *time.Time
}

// person is a participant as it stands in events and records.
type person struct {
	Key, UserID, Nick, Attendance, Mic, Camera, RejectDescription string
	Session                                                       int
	Host, CoHost, External, Phone                                 any // true, false, or nil: nobody has said
}

// record is a record as far as anybody outside may know it.
type record struct {
	Schema               int
	Tenant, ConferenceID string
	Epoch                int64
	Sequence             int
	ObservedAt           time.Time
	Term, Poll           uint64
	Meeting              meeting
	Roster               []person
	Partial              *struct{} // there within a poll that takes several batches
}

// state is what is true of a meeting, however one came to know it.
type state struct {
	Title  string
	Start  int64 // Unix ms; 0: not known
	Status string
	Media  int64
	People []unique.Handle[person] // by key; without sessions and refusals; an hour holds each many times
}

// over is the state of a meeting that has ended, of which nothing else is said.
func over() state { return state{Status: "ended"} }

func (s state) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q since %d media %d:", s.Status, s.Title, s.Start, s.Media)
	for _, handle := range s.People {
		p := handle.Value()
		fmt.Fprintf(&b, " %q=%s,mic %s,camera %s,%q", p.Key, p.Attendance, p.Mic, p.Camera, p.Nick)
	}
	return b.String()
}

// listedMeeting is an entry of the batch query's infos.
type listedMeeting struct {
	ConferenceID string
	Title        string
	StartTime    int64
	Status       int
	MediaStatus  int64
	UserList     []listedPerson
}

type listedPerson struct {
	UserID, Nick                          string
	AttendStatus, CameraStatus, MicStatus int
	RejectDescription                     string
}

// state merges the entries of each person and says what the entry shows.
func (m listedMeeting) state() state {
	status := [...]string{"initialized", "ended", "started"}[m.Status]
	if status == "ended" {
		return over()
	}
	return state{
		Title: clip(m.Title), Start: m.StartTime, Status: status, Media: m.MediaStatus, People: handles(merge(m.UserList)),
	}
}

// handles returns the same people, each kept once.
func handles(people []person) (all []unique.Handle[person]) {
	for _, p := range people {
		all = append(all, unique.Make(p))
	}
	return all
}

func merge(list []listedPerson) []person {
	list = slices.Clone(list)
	for i := range list {
		list[i].Nick, list[i].RejectDescription = clip(list[i].Nick), clip(list[i].RejectDescription)
	}
	slices.SortFunc(list, mostPresentFirst)
	var people []person
	numbers, seen := map[string]int{}, map[string]bool{}
	for _, l := range list {
		key := l.UserID
		if key == "" {
			numbers[l.Nick]++
			key = fmt.Sprintf("anon:%s#%d", l.Nick, numbers[l.Nick])
		} else if strings.HasPrefix(key, "anon:") {
			key = "id:" + key
		}
		if !seen[key] && l.rank() > 0 {
			people = append(people, person{
				Key: key, UserID: l.UserID, Nick: l.Nick, Attendance: [...]string{"", "invited", "joining", "present"}[l.AttendStatus],
				Mic: opening(l.open(l.MicStatus)), Camera: opening(l.open(l.CameraStatus)),
			})
		}
		seen[key] = true
	}
	slices.SortFunc(people, func(a, b person) int { return cmp.Compare(a.Key, b.Key) })
	return people
}

// rank is how present somebody is; 0: not in the roster.
func (l listedPerson) rank() int {
	if l.AttendStatus >= 1 && l.AttendStatus <= 3 {
		return l.AttendStatus
	}
	return 0
}

func (l listedPerson) open(code int) int {
	if l.AttendStatus == 3 && code == 2 {
		return 1
	}
	return 0
}

func opening(open int) string { return [...]string{"closed", "open"}[open] }

func mostPresentFirst(a, b listedPerson) int {
	return cmp.Or(
		cmp.Compare(b.rank(), a.rank()),
		cmp.Compare(b.open(b.MicStatus), a.open(a.MicStatus)),
		cmp.Compare(b.open(b.CameraStatus), a.open(a.CameraStatus)),
		cmp.Compare(a.Nick, b.Nick), cmp.Compare(a.RejectDescription, b.RejectDescription),
	)
}

// clip cuts a text at 256 bytes, on the boundary of a rune.
func clip(s string) string {
	for s = strings.ToValidUTF8(s, "\uFFFD"); len(s) > 256; {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// token writes a value as a subject token.
func token(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if c == '-' || c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func decode[T any](data []byte) (T, error) {
	var into T
	err := json.Unmarshal(data, &into)
	return into, err
}
