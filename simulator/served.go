package simulator

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall"
)

// Operation names one of DingTalk's operations.
type Operation string

// The operations.
const (
	OpQuery        Operation = "query"        // the batch query
	OpMeeting      Operation = "meeting"      // one meeting
	OpMembers      Operation = "members"      // the members of one meeting
	OpOrganization Operation = "organization" // the ongoing meetings of the organization
	OpUser         Operation = "user"         // the ongoing meetings of a user
	OpRoom         Operation = "room"         // the meetings of a room code
	OpToken        Operation = "token"        // a token, by any of the three flows
	OpGateway      Operation = "gateway"      // a ticket for a connection that pushes go to
	OpPush         Operation = "push"         // no call, but what is pushed: see [FaultDrop]
	OpUnknown      Operation = "unknown"      // no operation of DingTalk's
)

func operations() []Operation {
	return []Operation{OpQuery, OpMeeting, OpMembers, OpOrganization, OpUser, OpRoom, OpToken, OpGateway, OpPush, OpUnknown}
}

// Metered reports whether calls of the operation count against DingTalk's
// limits.
func (o Operation) Metered() bool {
	return o != OpToken && o != OpGateway && o != OpPush && o != OpUnknown
}

// Served is one answer that was given.
type Served struct {
	Number    uint64    // from 1
	At        time.Time // the world's instant that the answer shows
	Facts     uint64    // the number of the last fact the answer can know of
	Operation Operation
	Status    int    // HTTP; 0: the connection was broken
	Code      string // the error code; "" for none
	RequestID string
	Fault     string // the name of the fault that struck; "" for none
	// Asked are the conference ids of a batch query, as they came, or the id
	// of the one meeting that was found.
	Asked []string
	// Shown are the meetings of a batch query's answer, in its order; none if
	// a fault kept the answer from arriving whole and true.
	Shown []Shown
}

// Shown is one meeting of an answer.
type Shown struct {
	ConferenceID string
	Facts        uint64 // the number of the last fact the answer can know of
	JSON         []byte // its entry of infos; shared, not to be changed
}

// wireMeeting and wireUser are an entry of infos as DingTalk writes it.
type wireMeeting struct {
	ConferenceID string     `json:"conferenceId"`
	Title        string     `json:"title"`
	StartTime    int64      `json:"startTime,omitempty"`
	Status       int64      `json:"status"`
	MediaStatus  int64      `json:"mediaStatus"`
	UserList     []wireUser `json:"userList"`
}

type wireUser struct {
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	AttendStatus      int64  `json:"attendStatus"`
	CameraStatus      int64  `json:"cameraStatus"`
	MicStatus         int64  `json:"micStatus"`
	RejectDescription string `json:"rejectDescription,omitempty"`
}

// Truth is what the shown entry says, so that folded events can be held
// against it.
func (s Shown) Truth() (Truth, error) {
	var wire wireMeeting
	if err := json.Unmarshal(s.JSON, &wire); err != nil {
		return Truth{}, fmt.Errorf("read the shown meeting %q: %w", s.ConferenceID, err)
	}
	meeting := rollcall.Conference{Title: wire.Title, Status: wire.status(), Media: rollcall.Media(wire.MediaStatus)}
	if wire.StartTime != 0 {
		meeting.StartTime = time.UnixMilli(wire.StartTime).UTC()
	}
	entries := make([]rollcall.Entry, len(wire.UserList))
	for i, user := range wire.UserList {
		entries[i] = user.entry()
	}
	return newTruth(meeting, entries), nil
}

func (m wireMeeting) status() rollcall.Status {
	for s := rollcall.StatusInitialized; s <= rollcall.StatusEnded; s++ {
		if statusCode(s) == m.Status {
			return s
		}
	}
	return rollcall.StatusUnknown
}

func (u wireUser) entry() rollcall.Entry {
	return rollcall.Entry{
		UserID: u.UserID, Nick: u.Nick, RejectDescription: u.RejectDescription,
		Attendance: rollcall.Attendance(u.AttendStatus),
		Mic:        rollcall.Device(u.MicStatus), Camera: rollcall.Device(u.CameraStatus),
	}
}

// statusCode is DingTalk's number of a status.
func statusCode(s rollcall.Status) int64 {
	switch s {
	case rollcall.StatusEnded:
		return 1
	case rollcall.StatusStarted:
		return 2
	}
	return 0
}
