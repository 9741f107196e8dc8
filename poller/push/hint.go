package push

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/poller"
)

// The types of events, and what of them is of use.
const (
	eventMeeting = "meeting_status_change"
	eventMember  = "meeting_member_status_change"

	sceneCreated = "conference_created"
	sceneClosed  = "conference_closed"
	sceneJoin    = "user_join"
	sceneLeave   = "user_leave"
	sceneKicked  = "user_kicked"
)

// hint is what a push says of a meeting.
type hint struct {
	created bool          // the meeting has come to be; otherwise it is due
	meeting poller.Listed // of one that is due the id alone
	about   [sha256.Size]byte
	number  int64 // of the changes of what it is about; 0: not said
}

// change is the data of an event.
type change struct {
	Scene   loose `json:"changeScene"`
	Number  loose `json:"statusSeqNum"`
	Meeting struct {
		ID          loose `json:"conferenceId"`
		Title       loose `json:"title"`
		CreatorID   loose `json:"creatorId"`
		CreatorNick loose `json:"creatorNick"`
	} `json:"openConfModel"`
	Members []struct {
		ConferenceID loose `json:"conferenceId"`
		UserID       loose `json:"userId"`
	} `json:"openMemberModels"`
	Data *change `json:"data"` // the whole event, as HTTP callbacks carry it
}

// hintOf reads an event. It is decided by what changed, and not by the status,
// which DingTalk's own example has wrong. known says that it is an event of
// meetings; one of them that cannot be read, or says nothing of use, is no hint.
func hintOf(f *frame) (h hint, known, ok bool) {
	if kind := f.Headers.EventType; kind != eventMeeting && kind != eventMember {
		return hint{}, false, false
	}
	var c change
	if json.Unmarshal(f.content(), &c) != nil {
		return hint{}, true, false
	}
	if c.Scene == "" && c.Data != nil {
		c = *c.Data
	}
	id := string(c.Meeting.ID)
	if id == "" && len(c.Members) > 0 {
		id = string(c.Members[0].ConferenceID)
	}
	if id == "" || len(id) > rollcall.MaxID || strings.TrimSpace(id) != id {
		return hint{}, true, false
	}
	h.meeting.ConferenceID = id
	h.number, _ = strconv.ParseInt(string(c.Number), 10, 64)
	h.about = c.about(id, f.Headers.EventType)
	switch c.Scene {
	case sceneCreated:
		h.created = true
		h.meeting.Title, h.meeting.CreatorID = rollcall.Clip(string(c.Meeting.Title)), string(c.Meeting.CreatorID)
		h.meeting.CreatorNick = rollcall.Clip(string(c.Meeting.CreatorNick))
	case sceneClosed, sceneJoin, sceneLeave, sceneKicked:
	default:
		return hint{}, true, false
	}
	return h, true, true
}

// about is whose changes are numbered: those of the meeting, or of some people in
// it. Nobody says whether the numbers of several people are of one sequence.
func (c *change) about(id string, kind loose) (key [sha256.Size]byte) {
	names := []string{id, string(kind)}
	for _, m := range c.Members {
		names = append(names, string(m.UserID))
	}
	return sha256.Sum256([]byte(strings.Join(names, "\x00")))
}

// stale reports whether what is heard is older than what was heard before.
func (h *hint) stale(heard int64) bool {
	return h.number > 0 && cmp.Compare(h.number, heard) <= 0
}
