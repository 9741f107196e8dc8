package wire

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"rollcall"
)

// RecordSchema is the version of the stored record that this package writes.
// It grows when an older rollcall would misread a record; fields whose absence
// means what it meant before are added without it.
const RecordSchema = 1

// EncodeRecord appends the stored form of a record, one JSON object, to dst.
// It refuses a record that [DecodeRecord] could not restore.
func EncodeRecord(dst []byte, r *rollcall.Record) ([]byte, error) {
	if err := checkRecord(r); err != nil {
		return dst, fmt.Errorf("encode record of meeting %.300q: %w", r.ConferenceID, err)
	}
	dst = appendHead(dst, r)
	dst = appendRoster(dst, r.Roster)
	dst = appendMemory(dst, r.Memory)
	return appendRest(dst, r), nil
}

func appendHead(dst []byte, r *rollcall.Record) []byte {
	dst = append(dst, `{"schema":`...)
	dst = strconv.AppendInt(dst, RecordSchema, 10)
	dst = append(dst, `,"tenant":`...)
	dst = AppendString(dst, r.Tenant)
	dst = append(dst, `,"conferenceId":`...)
	dst = AppendString(dst, r.ConferenceID)
	dst = append(dst, `,"epoch":`...)
	dst = strconv.AppendInt(dst, r.Epoch, 10)
	dst = append(dst, `,"sequence":`...)
	dst = strconv.AppendUint(dst, r.Sequence, 10)
	dst = append(dst, `,"observedAt":`...)
	dst = AppendTime(dst, r.ObservedAt)
	dst = append(dst, `,"term":`...)
	dst = strconv.AppendUint(dst, r.Number.Term, 10)
	dst = append(dst, `,"poll":`...)
	dst = strconv.AppendUint(dst, r.Number.Poll, 10)
	dst = AppendLabels(append(dst, `,"labels":`...), r.Labels)
	dst = append(dst, `,"meeting":`...)
	return AppendMeeting(dst, &r.Meeting)
}

func appendRoster(dst []byte, roster []rollcall.Participant) []byte {
	dst = append(dst, `,"roster":[`...)
	for i := range roster {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendParticipant(dst, &roster[i])
	}
	return append(dst, ']')
}

const (
	unlisted  = `,"unlisted":true`
	forgotten = `,"forgotten":true`
	erased    = `,"erased":[`
	rolesAt   = `,"rolesAt":`
)

func appendRest(dst []byte, r *rollcall.Record) []byte {
	dst = append(dst, `,"misses":`...)
	dst = strconv.AppendInt(dst, int64(r.Misses), 10)
	dst = append(dst, `,"partial":`...)
	dst = appendPartial(dst, r.Partial)
	dst = append(dst, `,"endReason":`...)
	dst = AppendString(dst, string(r.EndReason))
	dst = append(dst, `,"endedAt":`...)
	dst = AppendTime(dst, r.EndedAt)
	dst = append(dst, `,"summarized":`...)
	dst = strconv.AppendBool(dst, r.Summarized)
	dst = append(dst, `,"untracked":`...)
	dst = strconv.AppendBool(dst, r.Untracked)
	dst = append(dst, `,"statusUnknown":`...)
	dst = strconv.AppendBool(dst, r.Meeting.Status == rollcall.StatusUnknown)
	if r.Unlisted { // rare, like the next ones
		dst = append(dst, unlisted...)
	}
	if r.Forgotten {
		dst = append(dst, forgotten...)
	}
	for i, key := range r.Erased {
		if i == 0 {
			dst = append(dst, erased...)
		} else {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, key)
	}
	if len(r.Erased) > 0 {
		dst = append(dst, ']')
	}
	if !r.RolesAt.IsZero() {
		dst = AppendTime(append(dst, rolesAt...), r.RolesAt)
	}
	return append(dst, '}')
}

func appendPartial(dst []byte, p *rollcall.Partial) []byte {
	if p == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"provenance":`...)
	dst = AppendString(dst, string(p.Provenance))
	dst = append(dst, `,"windowAfter":`...)
	return append(AppendTime(dst, p.WindowAfter), '}')
}

// checkRecord refuses what is no record: it guards the ledger against a faulty
// differ as well as the differ against a faulty ledger.
func checkRecord(r *rollcall.Record) error {
	if err := CheckNames(r.Tenant, r.ConferenceID); err != nil {
		return err
	}
	if err := checkPeople(r); err != nil {
		return err
	}
	if r.Epoch < 0 || r.Misses < 0 || r.Meeting.Present < 0 {
		return fmt.Errorf("epoch %d, %d misses, %d present", r.Epoch, r.Misses, r.Meeting.Present)
	}
	if err := r.Labels.Check(); err != nil {
		return err
	}
	return checkRecordTimes(r)
}

func checkRecordTimes(r *rollcall.Record) error {
	if err := CheckTime("observedAt", r.ObservedAt); err != nil {
		return err
	}
	if err := CheckTime("startTime", r.Meeting.StartTime); err != nil {
		return err
	}
	if err := CheckTime("endTime", r.Meeting.EndTime); err != nil {
		return err
	}
	if r.Partial != nil {
		if err := CheckTime("windowAfter", r.Partial.WindowAfter); err != nil {
			return err
		}
	}
	if err := CheckTime("rolesAt", r.RolesAt); err != nil {
		return err
	}
	return CheckTime("endedAt", r.EndedAt)
}

func checkPeople(r *rollcall.Record) error {
	last := ""
	for i := range r.Roster {
		p := &r.Roster[i]
		if !follows(p.Key, last) || !p.Attendance.InRoster() || p.Session < 0 {
			return fmt.Errorf("roster entry %d (%s): out of order, without a proper key, or not in the roster", i, p.Attendance)
		}
		last = p.Key
	}
	last = ""
	for i := range r.Memory {
		m := &r.Memory[i]
		if !follows(m.Participant.Key, last) || m.Participant.Session < 0 || min(m.Failed, m.KickedOut, m.Left) < 0 {
			return fmt.Errorf("memory entry %d: out of order, without a proper key, or a negative count", i)
		}
		last = m.Participant.Key
	}
	return nil
}

// follows reports whether key is one, and comes after last: no key is there twice.
func follows(key, last string) bool { return key > last && utf8.ValidString(key) }

// CheckNames refuses what is no tenant or can be no id of a meeting.
func CheckNames(tenant, conferenceID string) error {
	if !rollcall.ValidTenant(tenant) {
		return fmt.Errorf("%.64q is no tenant; allowed are 1 to 32 of a-z 0-9 -", tenant)
	}
	if conferenceID == "" || len(conferenceID) > rollcall.MaxID {
		return fmt.Errorf("the id of a meeting has 1 to %d bytes, not %d", rollcall.MaxID, len(conferenceID))
	}
	if !utf8.ValidString(conferenceID) {
		return errors.New("the id of the meeting is not UTF-8")
	}
	return nil
}
