package wire

import (
	"fmt"
	"strconv"

	"rollcall"
)

// AppendMeeting appends a meeting as it stands in events and records. A status
// that nobody has said yet is written as initialized.
func AppendMeeting(dst []byte, c *rollcall.Conference) []byte {
	dst = append(dst, `{"title":`...)
	dst = AppendString(dst, c.Title)
	dst = append(dst, `,"startTime":`...)
	dst = AppendTime(dst, c.StartTime)
	dst = append(dst, `,"status":`...)
	dst = appendWord(dst, max(c.Status, rollcall.StatusInitialized).String())
	dst = append(dst, `,"media":{"micMuted":`...)
	dst = strconv.AppendBool(dst, c.Media.Has(rollcall.MediaMicMuted))
	dst = append(dst, `,"cameraClosed":`...)
	dst = strconv.AppendBool(dst, c.Media.Has(rollcall.MediaCameraClosed))
	dst = append(dst, `,"muteAll":`...)
	dst = strconv.AppendBool(dst, c.Media.Has(rollcall.MediaMuteAll))
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(c.Media), 10)
	dst = append(dst, `},"present":`...)
	dst = strconv.AppendInt(dst, int64(c.Present), 10)
	if !c.EndTime.IsZero() {
		dst = AppendTime(append(dst, `,"endTime":`...), c.EndTime)
	}
	return append(dst, '}')
}

// Meeting is a meeting as it stands in JSON.
type Meeting struct {
	Title     string `json:"title"`
	StartTime Time   `json:"startTime"`
	Status    string `json:"status"`
	Media     Media  `json:"media"`
	Present   int    `json:"present"`
	EndTime   Time   `json:"endTime,omitzero"`
}

// Media is a meeting's media status in JSON: the bits with a name, and the
// code that holds them all.
type Media struct {
	MicMuted     bool  `json:"micMuted"`
	CameraClosed bool  `json:"cameraClosed"`
	MuteAll      bool  `json:"muteAll"`
	Code         int64 `json:"code"`
}

// Conference returns the word for the JSON. The media code outranks the bits.
func (m *Meeting) Conference() (rollcall.Conference, error) {
	status, ok := rollcall.ParseStatus(m.Status)
	if !ok {
		return rollcall.Conference{}, fmt.Errorf("read meeting: unknown status %.64q", m.Status)
	}
	if m.Present < 0 {
		return rollcall.Conference{}, fmt.Errorf("read meeting: %d present", m.Present)
	}
	return rollcall.Conference{
		Title: m.Title, StartTime: m.StartTime.Time, EndTime: m.EndTime.Time, Status: status,
		Media: rollcall.Media(m.Media.Code), Present: m.Present,
	}, nil
}
