package dingtalk

import "rollcall"

// What DingTalk's numbers mean, by number.
var (
	statuses    = []rollcall.Status{rollcall.StatusInitialized, rollcall.StatusEnded, rollcall.StatusStarted}
	devices     = []rollcall.Device{rollcall.DeviceUnknown, rollcall.DeviceClosed, rollcall.DeviceOpen}
	attendances = []rollcall.Attendance{
		rollcall.AttendanceUnknown, rollcall.AttendanceInvited, rollcall.AttendanceJoining,
		rollcall.AttendancePresent, rollcall.AttendanceFailed, rollcall.AttendanceKickedOut, rollcall.AttendanceLeft,
	}
)

// oddities collects what has no meaning while values are read.
type oddities []rollcall.Oddity

func (o *oddities) add(field, value string) {
	if len(*o) < maxOddities {
		*o = append(*o, rollcall.Oddity{Field: field, Value: value})
	}
}

// meaningless records a value that has no meaning, if there is one.
func (o *oddities) meaningless(field string, raw []byte) {
	if given(raw) {
		o.add(field, shown(raw))
	}
}

// text reads words that people wrote, cut as [rollcall.Clip] does; of others it
// records the type only. What it returns may alias them.
func (o *oddities) text(field string, w words) []byte {
	switch {
	case !given(w.raw):
		return nil
	case w.raw[0] != '"':
		o.add(field, typeOf(w.raw))
		return nil
	}
	text := w.text()
	if len(text) > rollcall.MaxText {
		return []byte(rollcall.Clip(string(text)))
	}
	return text
}

// coded reads a number that stands for an element of meanings.
func coded[T any](o *oddities, field string, raw []byte, meanings []T) (meaning T) {
	if len(raw) == 1 && int(raw[0]-'0') < len(meanings) { // the usual one
		return meanings[raw[0]-'0']
	}
	n, ok := integer(raw)
	if ok && 0 <= n && n < int64(len(meanings)) {
		return meanings[n]
	}
	o.meaningless(field, raw)
	return meaning
}
