package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"rollcall"
)

// The faults that befall pushes: those of [OpPush] have these names. Of the names
// that answers have as well, FaultLatency delays one push, FaultReset breaks the
// connection, and FaultGarbage, FaultTruncated and FaultHuge send what is no push.
const (
	FaultDrop       = "drop"       // it is not sent
	FaultDouble     = "double"     // it is sent twice
	FaultReorder    = "reorder"    // those of the next second (or Delay) overtake it
	FaultDisconnect = "disconnect" // DingTalk says that it ends the connection, and does
)

// PushFaultNames lists the faults that can be armed for [OpPush].
func PushFaultNames() []string {
	return []string{
		FaultDrop, FaultDouble, FaultReorder, FaultLatency, FaultDisconnect, FaultReset, FaultGarbage, FaultTruncated, FaultHuge,
	}
}

// ticketLife is for how long a ticket is good, once.
const ticketLife = 90 * time.Second

// PushCounts is how many pushes there were.
type PushCounts struct {
	Made    int `json:"made"`    // by what happened
	Lost    int `json:"lost"`    // nobody was connected, or a fault took them
	Sent    int `json:"sent"`    // those that came twice count twice
	Acked   int `json:"acked"`   // of these, with success
	Late    int `json:"late"`    // of these, later than the 3 s that DingTalk waits
	Opened  int `json:"opened"`  // tickets that were given out
	Refused int `json:"refused"` // connections that came with no good ticket
}

// pushes are DingTalk's pushes over its Stream connections. What is below lock is
// guarded by it: it is the simulator's, which its callers hold but for connections.
type pushes struct {
	lock    sync.Locker
	cfg     Config
	rng     *rand.Rand
	armed   *faultSet
	tickets map[string]time.Time // until when each is good
	links   []*link
	counts  PushCounts
}

func newPushes(cfg Config, armed *faultSet, lock sync.Locker) *pushes {
	return &pushes{lock: lock, cfg: cfg, rng: cfg.chance(streamPush, 0), armed: armed, tickets: map[string]time.Time{}}
}

// open is POST /v1.0/gateway/connections/open.
func (p *pushes) open(q question) reply {
	var body struct {
		ClientID      string `json:"clientId"`
		ClientSecret  string `json:"clientSecret"`
		Subscriptions []struct {
			Type  string `json:"type"`
			Topic string `json:"topic"`
		} `json:"subscriptions"`
	}
	if json.Unmarshal(q.body, &body) != nil || len(body.Subscriptions) == 0 {
		return fail("paramError")
	}
	if !same(body.ClientID, p.cfg.AppKey) || !same(body.ClientSecret, p.cfg.AppSecret) {
		return fail("invalidClientIdOrSecret")
	}
	ticket := text(p.rng, hexDigits, 32)
	p.tickets[ticket] = p.cfg.Now().Add(ticketLife)
	p.counts.Opened++
	return okay(struct {
		Endpoint string `json:"endpoint"`
		Ticket   string `json:"ticket"`
	}{"ws://" + q.request.Host + connectPath, ticket})
}

// admit takes a ticket, once.
func (p *pushes) admit(ticket string) error {
	until, known := p.tickets[ticket]
	delete(p.tickets, ticket)
	if !known || p.cfg.Now().After(until) {
		p.counts.Refused++
		return errors.New("the ticket is unknown, used or too old")
	}
	return nil
}

// sceneOf is what a fact is called in a push, and the type of its event; "": it is
// pushed to nobody.
func sceneOf(f Fact) (scene, event string) {
	const meeting, member = "meeting_status_change", "meeting_member_status_change"
	switch f.Type {
	case rollcall.MeetingInitialized:
		return "conference_created", meeting
	case rollcall.MeetingEnded:
		return "conference_closed", meeting
	case rollcall.ParticipantInvited:
		return "user_invited", member
	case rollcall.ParticipantJoined:
		return "user_join", member
	case rollcall.ParticipantLeft:
		return "user_leave", member
	case rollcall.ParticipantKickedOut:
		return "user_kicked", member
	}
	return "", ""
}

// tell pushes a fact to one of the connections, at random.
func (p *pushes) tell(f Fact, m *meeting) {
	scene, kind := sceneOf(f)
	if scene == "" {
		return
	}
	p.counts.Made++
	if len(p.links) == 0 {
		p.counts.Lost++
		return
	}
	to := p.links[p.rng.IntN(len(p.links))]
	eventID := text(p.rng, hexDigits, 32)
	push := parcel{messageID: eventID[:16], body: p.frame(typeEvent, map[string]string{
		"eventType": kind, "eventId": eventID, "eventCorpId": p.cfg.CorpID,
		"eventBornTime": fmt.Sprint(f.At.UnixMilli()), "topic": "*", "messageId": eventID[:16],
	}, eventOf(f, scene, m))}
	p.befall(p.armed.strike(OpPush), to, push)
}

// befall hands a push on, as the fault that struck it has it.
func (p *pushes) befall(fault Fault, to *link, push parcel) {
	switch fault.Name {
	case FaultDrop:
		p.counts.Lost++
		return
	case FaultDouble:
		to.put(push)
	case FaultReorder:
		push.due = time.Now().Add(orDelay(fault.Delay, time.Second))
	case FaultLatency:
		push.due = time.Now().Add(orDelay(fault.Delay, 5*time.Second))
	case FaultDisconnect:
		to.put(p.system("disconnect", `{"reason":"connection is expired"}`))
	case FaultReset:
		push = parcel{breaks: true}
	case FaultGarbage:
		push = parcel{body: []byte("\x1f\x8b\x00{[[}\xff\xfe not json")}
	case FaultTruncated:
		push = parcel{body: push.body[:len(push.body)/2]}
	case FaultHuge:
		push = parcel{body: []byte(`{"padding":"` + strings.Repeat("x", orInt(fault.Bytes, 2<<20)) + `"}`)}
	}
	to.put(push)
}

// system makes a frame about the connection itself.
func (p *pushes) system(topic, data string) parcel {
	id := text(p.rng, hexDigits, 16)
	headers := map[string]string{"topic": topic, "messageId": id, "contentType": "application/json"}
	return parcel{messageID: id, system: topic, body: p.frame(typeSystem, headers, json.RawMessage(data))}
}

// The types of frames.
const (
	typeSystem = "SYSTEM"
	typeEvent  = "EVENT"
)

func (p *pushes) frame(kind string, headers map[string]string, data any) []byte {
	return encode(struct {
		SpecVersion string            `json:"specVersion"`
		Type        string            `json:"type"`
		Headers     map[string]string `json:"headers"`
		Data        string            `json:"data"`
	}{"1.0", kind, headers, string(encode(data))})
}

// pushedMember is a person in an event.
type pushedMember struct {
	ConferenceID string `json:"conferenceId"`
	UserID       string `json:"userId"`
	UserNick     string `json:"userNick"`
	AttendStatus int64  `json:"attendStatus"`
}

// pushedEvent is the data of an event.
type pushedEvent struct {
	ChangeScene      string         `json:"changeScene"`
	StatusSeqNum     uint64         `json:"statusSeqNum"`
	OpenConfModel    confInfo       `json:"openConfModel"`
	OpenMemberModels []pushedMember `json:"openMemberModels,omitempty"`
}

// eventOf is what a push says. The number of the fact is that of the change: both
// only grow.
func eventOf(f Fact, scene string, m *meeting) pushedEvent {
	event := pushedEvent{ChangeScene: scene, StatusSeqNum: f.Number, OpenConfModel: m.brief()}
	if f.Line.Number > 0 {
		event.OpenMemberModels = []pushedMember{{
			ConferenceID: m.id, UserID: f.Line.UserID, UserNick: f.Line.Nick, AttendStatus: int64(f.Line.Attendance),
		}}
	}
	return event
}

// Pushes returns how many pushes there were.
func (s *Simulator) Pushes() PushCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.push.counts
}

// Listening returns how many connections pushes go to.
func (s *Simulator) Listening() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.push.links)
}

// HangUp breaks all connections that pushes go to.
func (s *Simulator) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.push.links {
		l.put(parcel{breaks: true})
	}
}

func (c control) pushes(w http.ResponseWriter, _ *http.Request) { tell(w, c.simulator.Pushes()) }
