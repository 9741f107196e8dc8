package rollcall

// Attendance is how a person stands to a meeting. The zero value means that
// the answer did not say.
type Attendance uint8

// The attendances, with the numbers of DingTalk's attendStatus.
const (
	AttendanceUnknown Attendance = iota
	AttendanceInvited
	AttendanceJoining
	AttendancePresent
	AttendanceFailed
	AttendanceKickedOut
	AttendanceLeft
)

var attendanceNames = names[Attendance]{"", "invited", "joining", "present", "failed", "kicked_out", "left"}

// String returns the attendance as it stands on the wire; "" when unknown.
func (a Attendance) String() string { return attendanceNames.name(a) }

// ParseAttendance reads an attendance from the wire; ok is false for any other word.
func ParseAttendance(word string) (a Attendance, ok bool) { return attendanceNames.parse(word) }

// InRoster reports whether such a person stands in the roster: invited,
// joining or present.
func (a Attendance) InRoster() bool { return a >= AttendanceInvited && a <= AttendancePresent }

// Gone reports whether such a person was there or was asked, and no longer is:
// failed, kicked out or left.
func (a Attendance) Gone() bool { return a >= AttendanceFailed && a <= AttendanceLeft }

// Device is a participant's microphone or camera. The zero value means that
// the answer did not say.
type Device uint8

// The states of a device, with the numbers of DingTalk's micStatus and cameraStatus.
const (
	DeviceUnknown Device = iota
	DeviceClosed
	DeviceOpen
)

var deviceNames = names[Device]{"", "closed", "open"}

// String returns the state as it stands on the wire; "" when unknown.
func (d Device) String() string { return deviceNames.name(d) }

// ParseDevice reads a device's state from the wire; ok is false for any other word.
func ParseDevice(word string) (d Device, ok bool) { return deviceNames.parse(word) }

// Participant is one person of a meeting.
type Participant struct {
	Key               string // unique in the meeting: the user id, or anon:<nick>#<n>
	UserID            string // DingTalk's userId; "" for people without one
	Nick              string // at most [MaxText] bytes
	Attendance        Attendance
	Mic, Camera       Device // open only while present
	Roles                    // as far as anybody has said
	RejectDescription string // at most [MaxText] bytes; only while failed
	Session           int    // how many times this person has joined
}
