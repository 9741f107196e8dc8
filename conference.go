package rollcall

import "time"

// Status is where a meeting stands. The zero value means that nobody has said.
type Status uint8

// The statuses of a meeting, in the order in which a meeting goes through them.
const (
	StatusUnknown Status = iota
	StatusInitialized
	StatusStarted
	StatusEnded
)

var statusNames = names[Status]{"", "initialized", "started", "ended"}

// String returns the status as it stands on the wire; "" when unknown.
func (s Status) String() string { return statusNames.name(s) }

// ParseStatus reads a status from the wire; ok is false for any other word.
func ParseStatus(word string) (s Status, ok bool) { return statusNames.parse(word) }

// Media is DingTalk's mediaStatus of a whole meeting: a set of bits. Bits that
// have no name yet are kept.
type Media int64

// The bits of [Media] that have a name.
const (
	MediaMicMuted     Media = 1
	MediaCameraClosed Media = 2
	MediaMuteAll      Media = 4
)

// Has reports whether every bit of the mask is set.
func (m Media) Has(mask Media) bool { return m&mask == mask }

// Conference is what is known of a meeting as a whole.
type Conference struct {
	Title     string    // at most [MaxText] bytes; "" when DingTalk never gave one
	StartTime time.Time // millisecond precision, UTC; zero when DingTalk never gave one
	EndTime   time.Time // DingTalk's own end, likewise; zero while the meeting goes on, or where it gave none
	Status    Status
	Media     Media
	Present   int // participants of the roster whose attendance is present
}
