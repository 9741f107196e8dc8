package simulator

import (
	"bytes"
	"encoding/json"
	"time"
)

// entry returns a meeting's entry of infos. It is rendered once a change and the
// bytes are shared by all answers until the next.
func (m *meeting) entry() []byte {
	if m.raw == nil {
		m.raw = encode(m.wire())
	}
	return m.raw
}

func (m *meeting) wire() wireMeeting {
	wire := wireMeeting{
		ConferenceID: m.id, Title: m.title, StartTime: millis(m.startTime()),
		Status: statusCode(m.status), MediaStatus: int64(m.media),
		UserList: make([]wireUser, len(m.listed)),
	}
	for i, d := range m.listed {
		wire.UserList[i] = wireUser{
			UserID: d.UserID, Nick: d.Nick, AttendStatus: int64(d.Attendance),
			CameraStatus: int64(d.Camera), MicStatus: int64(d.Mic), RejectDescription: d.RejectDescription,
		}
	}
	return wire
}

// millis is a time as DingTalk writes it; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// encode writes JSON as DingTalk does, with < and & as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Every value that comes here is a struct of texts and numbers.
		panic("simulator: encode: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
