package push

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func eventFrame(kind, data string) []byte {
	text, _ := json.Marshal(data)
	return fmt.Appendf(nil, `{"specVersion":"1.0","type":"EVENT","headers":{"topic":"*","messageId":"m","eventType":%q,"eventId":"e"},"data":%s}`, kind, text)
}

func TestHints(t *testing.T) {
	for name, c := range map[string]struct {
		kind, data string
		known, ok  bool
		created    bool
		id         string
		number     int64
	}{
		"DingTalk's example": {
			eventMeeting, `{"changeScene":"conference_created","statusSeqNum":3,"openConfModel":{"conferenceId":"c","title":"T","startTime":1,"status":1}}`,
			true, true, true, "c", 3,
		},
		"texts":             {eventMember, `{"changeScene":"user_join","statusSeqNum":"12","openConfModel":{"conferenceId":77},"openMemberModels":[{"userId":""}]}`, true, true, false, "77", 12},
		"the member's id":   {eventMember, `{"changeScene":"user_kicked","openMemberModels":[{"conferenceId":"c","userId":"u"}]}`, true, true, false, "c", 0},
		"the whole event":   {eventMeeting, `{"eventType":"x","data":{"changeScene":"conference_closed","openConfModel":{"conferenceId":"c"}}}`, true, true, false, "c", 0},
		"invited":           {eventMember, `{"changeScene":"user_invited","openConfModel":{"conferenceId":"c"}}`, true, false, false, "", 0},
		"no id":             {eventMember, `{"changeScene":"user_join","openConfModel":null,"openMemberModels":null}`, true, false, false, "", 0},
		"blanks":            {eventMember, `{"changeScene":"user_join","openConfModel":{"conferenceId":" c"}}`, true, false, false, "", 0},
		"too long":          {eventMember, `{"changeScene":"user_join","openConfModel":{"conferenceId":"` + strings.Repeat("x", 257) + `"}}`, true, false, false, "", 0},
		"garbage":           {eventMember, `{`, true, false, false, "", 0},
		"another shape":     {eventMember, `[{"openConfModel":3}]`, true, false, false, "", 0},
		"another event":     {"chat_update_title", `{"changeScene":"user_join","openConfModel":{"conferenceId":"c"}}`, false, false, false, "", 0},
		"null":              {eventMember, `null`, true, false, false, "", 0},
		"not even a number": {eventMember, `{"changeScene":"user_join","statusSeqNum":{},"openConfModel":{"conferenceId":"c"}}`, true, true, false, "c", 0},
	} {
		f, err := readFrame(eventFrame(c.kind, c.data))
		if err != nil {
			t.Fatal(name, err)
		}
		h, known, ok := hintOf(&f)
		if known != c.known || ok != c.ok || h.created != c.created || h.meeting.ConferenceID != c.id || h.number != c.number {
			t.Errorf("%s: %+v, known %v, ok %v", name, h, known, ok)
		}
	}
}

func TestPingsAreEchoed(t *testing.T) {
	f, err := readFrame([]byte(`{"type":"SYSTEM","headers":{"topic":"ping","messageId":9},"data":"{\"opaque\":\"0xa\"}"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.acknowledgement()
	if want := `{"code":200,"headers":{"contentType":"application/json","messageId":"9"},"message":"OK","data":"{\"opaque\":\"0xa\"}"}`; err != nil || string(answer) != want {
		t.Errorf("%s, %v", answer, err)
	}
}

// TestWhatIsRememberedIsBounded remembers the latest, and no more than twice as many.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	var r recent
	key := func(n int) [sha256.Size]byte { return sha256.Sum256(fmt.Append(nil, n)) }
	for n := range 10 * remembered {
		r.put(key(n), int64(n))
		if got, found := r.get(key(max(0, n-remembered))); !found || got != int64(max(0, n-remembered)) {
			t.Fatalf("%d is forgotten after %d more", max(0, n-remembered), remembered)
		}
	}
	if n := len(r.young) + len(r.old); n > 2*remembered {
		t.Errorf("%d are remembered", n)
	}
}

// FuzzFrames has anything come: nothing of it may end the program.
func FuzzFrames(f *testing.F) {
	f.Add(eventFrame(eventMember, `{"changeScene":"user_join","openConfModel":{"conferenceId":"c"}}`))
	f.Add([]byte(`{"type":"SYSTEM","headers":{"topic":"ping"},"data":null}`))
	f.Add([]byte(`{"type":{},"headers":[],"data":1}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		read, err := readFrame(message)
		if err != nil {
			return
		}
		if _, err := read.acknowledgement(); err != nil {
			t.Error(err)
		}
		if h, known, ok := hintOf(&read); ok && (!known || h.meeting.ConferenceID == "") {
			t.Errorf("a hint about nothing: %+v", h)
		}
	})
}
