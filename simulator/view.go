package simulator

import (
	"reflect"
	"strings"
	"time"

	"rollcall"
)

// The shapes that the control API speaks; the package comment shows them.

type errorView struct {
	Error string `json:"error"`
}

type actAnswer struct {
	Facts []factView `json:"facts"`
}

type faultAnswer struct {
	Faults []faultView `json:"faults"`
}

type factView struct {
	Number       uint64          `json:"number"`
	At           time.Time       `json:"at"`
	ConferenceID string          `json:"conferenceId"`
	Type         rollcall.Type   `json:"type"`
	Reason       rollcall.Reason `json:"reason,omitempty"`
	Meeting      conferenceView  `json:"meeting"`
	Person       *personView     `json:"person,omitempty"`
}

type conferenceView struct {
	Title     string     `json:"title"`
	StartTime *time.Time `json:"startTime"`
	Status    string     `json:"status"`
	Media     int64      `json:"mediaStatus"`
	Present   int        `json:"present"`
}

type personView struct {
	Line              int    `json:"line"`
	Listed            bool   `json:"listed"`
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	Attendance        string `json:"attendance"`
	Mic               string `json:"mic"`
	Camera            string `json:"camera"`
	RejectDescription string `json:"rejectDescription,omitempty"`
}

func viewFact(f Fact) factView {
	view := factView{
		Number: f.Number, At: f.At, ConferenceID: f.ConferenceID,
		Type: f.Type, Reason: f.Reason, Meeting: viewConference(f.Meeting),
	}
	if f.Line.Number > 0 {
		view.Person = &personView{
			Line: f.Line.Number, Listed: f.Line.Listed, UserID: f.Line.UserID, Nick: f.Line.Nick,
			Attendance: f.Line.Attendance.String(), Mic: f.Line.Mic.String(), Camera: f.Line.Camera.String(),
			RejectDescription: f.Line.RejectDescription,
		}
	}
	return view
}

func viewConference(c rollcall.Conference) conferenceView {
	view := conferenceView{Title: c.Title, Status: c.Status.String(), Media: int64(c.Media), Present: c.Present}
	if !c.StartTime.IsZero() {
		view.StartTime = &c.StartTime
	}
	return view
}

type servedView struct {
	Number    uint64      `json:"number"`
	At        time.Time   `json:"at"`
	Operation Operation   `json:"operation"`
	Status    int         `json:"status"`
	Code      string      `json:"code,omitempty"`
	RequestID string      `json:"requestId"`
	Fault     string      `json:"fault,omitempty"`
	Asked     []string    `json:"asked,omitempty"`
	Shown     []shownView `json:"shown,omitempty"`
}

type shownView struct {
	ConferenceID string `json:"conferenceId"`
	Facts        uint64 `json:"facts"`
}

func viewServed(s Served) servedView {
	return servedView{
		Number: s.Number, At: s.At, Operation: s.Operation, Status: s.Status, Code: s.Code,
		RequestID: s.RequestID, Fault: s.Fault, Asked: s.Asked,
		Shown: views(s.Shown, func(m Shown) shownView { return shownView{m.ConferenceID, m.Facts} }),
	}
}

type meetingView struct {
	ConferenceID string `json:"conferenceId"`
	conferenceView
	EndTime *time.Time   `json:"endTime,omitempty"`
	People  []personView `json:"people"`
}

func (s *Simulator) meetingViews() []meetingView {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	return views(s.world.order, viewMeeting)
}

func viewMeeting(m *meeting) meetingView {
	view := meetingView{ConferenceID: m.id, conferenceView: viewConference(m.conference()), People: []personView{}}
	if m.over() {
		ended := m.ended
		view.EndTime = &ended
	}
	for _, d := range m.listed {
		view.People = append(view.People, *viewFact(Fact{Line: d.Line}).Person)
	}
	return view
}

// faultView is a [Fault] as POST /_sim/fault takes it.
type faultView struct {
	Name        string    `json:"fault"`
	Operation   Operation `json:"operation"`
	Times       int       `json:"times"`
	For         span      `json:"for"`
	Probability float64   `json:"probability"`
	Status      int       `json:"status"`
	Capitals    bool      `json:"capitals"`
	RetryAfter  span      `json:"retryAfter"`
	Delay       span      `json:"delay"`
	Bytes       int       `json:"bytes"`
}

func (v faultView) fault() Fault {
	return Fault{
		Name: v.Name, Operation: v.Operation, Times: v.Times, For: time.Duration(v.For),
		Probability: v.Probability, Status: v.Status, Capitals: v.Capitals,
		RetryAfter: time.Duration(v.RetryAfter), Delay: time.Duration(v.Delay), Bytes: v.Bytes,
	}
}

func viewFault(f Fault) faultView {
	return faultView{
		Name: f.Name, Operation: f.Operation, Times: f.Times, For: span(f.For),
		Probability: f.Probability, Status: f.Status, Capitals: f.Capitals,
		RetryAfter: span(f.RetryAfter), Delay: span(f.Delay), Bytes: f.Bytes,
	}
}

func views[T, V any](items []T, view func(T) V) []V {
	all := make([]V, 0, len(items))
	for _, item := range items {
		all = append(all, view(item))
	}
	return all
}

// fields lists the JSON fields of a struct, for errors about a misspelled one.
func fields(of any) []string {
	t := reflect.TypeOf(of).Elem()
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
