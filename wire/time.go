package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// Layout is how times look: RFC 3339 in UTC with exactly three decimals.
const Layout = "2006-01-02T15:04:05.000Z"

// CheckTime refuses a time that RFC 3339 cannot say; what names it.
func CheckTime(what string, t time.Time) error {
	if !sayable(t) {
		return fmt.Errorf("write %s: the year %d has no RFC 3339 form (0 to 9999)", what, t.UTC().Year())
	}
	return nil
}

// The Unix seconds of the first and the last instant that RFC 3339 can say.
const (
	firstSayable = -62_167_219_200 // 0000-01-01T00:00:00Z
	lastSayable  = 253_402_300_799 // 9999-12-31T23:59:59Z
)

func sayable(t time.Time) bool { return t.Unix() >= firstSayable && t.Unix() <= lastSayable }

// AppendTime appends t in [Layout], cut to milliseconds, or null for the zero
// time and for one that [CheckTime] refuses.
func AppendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() || !sayable(t) {
		return append(dst, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	dst = append(AppendDigits(dst, uint64(year), 4), '-')
	dst = append(AppendDigits(dst, uint64(month), 2), '-')
	dst = append(AppendDigits(dst, uint64(day), 2), 'T')
	dst = append(AppendDigits(dst, uint64(hour), 2), ':')
	dst = append(AppendDigits(dst, uint64(minute), 2), ':')
	dst = append(AppendDigits(dst, uint64(second), 2), '.')
	dst = AppendDigits(dst, uint64(t.Nanosecond()/int(time.Millisecond)), 3)
	return append(dst, 'Z', '"')
}

// AppendDigits appends n in decimal with at least width digits.
func AppendDigits(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for n > 0 || len(digits)-i < width {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, digits[i:]...)
}

// Time is a time in JSON: [Layout] when written, any RFC 3339 when read, and
// null for the zero time.
type Time struct{ time.Time }

// MarshalJSON writes the time as [AppendTime] does.
func (t Time) MarshalJSON() ([]byte, error) { return AppendTime(nil, t.Time), nil }

// UnmarshalJSON reads null or an RFC 3339 time, and returns it in UTC, cut to
// milliseconds.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if text == nil {
		t.Time = time.Time{}
		return nil
	}
	parsed, err := ParseTime(*text)
	t.Time = parsed
	return err
}

// ParseTime reads an RFC 3339 time, and returns it in UTC, cut to milliseconds.
func ParseTime(text string) (time.Time, error) {
	parsed, err := time.Parse(time.RFC3339Nano, text)
	return parsed.UTC().Truncate(time.Millisecond), err
}
