package recordcache

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"rollcall"
)

// packed is a record in a tenth of its size: numbers in as many bytes as they
// need, texts as places in raw where they stand there. It lives in memory only,
// so its form has no version.
type packed struct {
	form []byte
	raw  []byte // the answer; shared
}

// pack returns r packed beside raw, or nil for a record that would not come back
// as it was: with values outside those that have a name, with times that are
// not UTC, or in the middle of a poll.
func pack(r *rollcall.Record, raw []byte) *packed {
	if r.Partial != nil {
		return nil
	}
	p := packer{places: places(raw, len(r.Roster)), exact: true, form: make([]byte, 0, 512)}
	p.head(r)
	p.length(r.Roster == nil, len(r.Roster))
	for i := range r.Roster {
		p.person(&r.Roster[i])
	}
	p.length(r.Memory == nil, len(r.Memory))
	for i := range r.Memory {
		m := &r.Memory[i]
		p.person(&m.Participant)
		p.ints(int64(m.Failed), int64(m.KickedOut), int64(m.Left))
	}
	p.roles(r)
	if !p.exact {
		return nil
	}
	form := binary.AppendUvarint(nil, uint64(p.texts))
	return &packed{form: slices.Clip(append(form, p.form...)), raw: raw}
}

// packer writes the form.
type packer struct {
	places map[string]int // of texts in the answer
	form   []byte
	texts  int  // bytes of all texts
	exact  bool // so far everything can be said
}

func (p *packer) head(r *rollcall.Record) {
	p.text(r.Tenant)
	p.text(r.ConferenceID)
	p.uints(uint64(r.Epoch), r.Sequence, r.Number.Term, r.Number.Poll)
	p.time(r.ObservedAt)
	p.text(r.Meeting.Title)
	p.time(r.Meeting.StartTime)
	p.time(r.Meeting.EndTime)
	p.labels(r.Labels)
	p.ints(int64(r.Meeting.Status), int64(r.Meeting.Media), int64(r.Meeting.Present), int64(r.Misses))
	p.text(string(r.EndReason))
	p.time(r.EndedAt)
	p.time(r.RolesAt)
	p.uints(bit(r.Summarized, 0) | bit(r.Untracked, 1) | bit(r.Unlisted, 2) | bit(r.Forgotten, 3))
	p.length(r.Erased == nil, len(r.Erased))
	for _, key := range r.Erased {
		p.text(key)
	}
}

func (p *packer) labels(labels rollcall.Labels) {
	p.uints(uint64(len(labels)))
	for key, value := range labels {
		p.text(key)
		p.text(value)
	}
	p.exact = p.exact && (labels == nil || len(labels) > 0)
}

func (p *packer) uints(values ...uint64) {
	for _, v := range values {
		p.form = binary.AppendUvarint(p.form, v)
	}
}

func (p *packer) ints(values ...int64) {
	for _, v := range values {
		p.form = binary.AppendVarint(p.form, v)
	}
}

// length distinguishes an absent list from an empty one.
func (p *packer) length(absent bool, n int) {
	if !absent {
		n++
	}
	p.uints(uint64(n))
}

func (p *packer) time(t time.Time) {
	if t.IsZero() {
		p.form = append(p.form, 0)
		p.exact = p.exact && t == time.Time{}
		return
	}
	p.form = append(p.form, 1)
	p.ints(t.Unix(), int64(t.Nanosecond()))
	p.exact = p.exact && t == time.Unix(t.Unix(), int64(t.Nanosecond())).UTC()
}

// text writes len<<1|1 followed by the bytes, or len<<1 followed by an offset
// into raw.
func (p *packer) text(s string) {
	p.texts += len(s)
	if at, found := p.places[s]; found {
		p.uints(uint64(len(s))<<1, uint64(at))
		return
	}
	p.uints(uint64(len(s))<<1 | 1)
	p.form = append(p.form, s...)
}

// person begins with the words in one byte: three bits of attendance, two of
// each device, and whether the key is the user id.
func (p *packer) person(x *rollcall.Participant) {
	same := x.Key == x.UserID
	p.exact = p.exact && x.Attendance < 1<<3 && x.Mic < 1<<2 && x.Camera < 1<<2
	p.form = append(p.form, byte(x.Attendance)&7|byte(x.Mic)&3<<3|byte(x.Camera)&3<<5|byte(bit(same, 7)))
	p.text(x.Key)
	if !same {
		p.text(x.UserID)
	}
	p.text(x.Nick)
	p.text(x.RejectDescription)
	p.ints(int64(x.Session))
}

// roles follows the people: mostly nobody's are known. Those that are stand behind
// their person's place among all, two bits each.
func (p *packer) roles(r *rollcall.Record) {
	known := make([]uint64, 0, 16)
	for i := range len(r.Roster) + len(r.Memory) {
		if roles := personAt(r, i).Roles; roles != (rollcall.Roles{}) {
			p.exact = p.exact && max(roles.Host, roles.CoHost, roles.External, roles.Phone) < 1<<2
			bits := roles.Host&3 | roles.CoHost&3<<2 | roles.External&3<<4 | roles.Phone&3<<6
			known = append(known, uint64(i), uint64(bits))
		}
	}
	p.uints(uint64(len(known) / 2))
	p.uints(known...)
}

// personAt returns the i-th of the roster and, behind it, of the memory.
func personAt(r *rollcall.Record, i int) *rollcall.Participant {
	if i < len(r.Roster) {
		return &r.Roster[i]
	}
	return &r.Memory[i-len(r.Roster)].Participant
}

// shortest is the length in bytes of the shortest text that takes less as a place.
const shortest = 3

// places returns where the texts of an answer stand in it. It looks for what is
// between quotation marks and before no colon: whatever else the answer holds,
// a text stands where these bytes are.
func places(raw []byte, people int) map[string]int {
	all := string(raw)
	found := make(map[string]int, 2*people+4)
	for end := 0; ; end++ {
		start := closing(all, end) + 1
		if end = closing(all, start); start == 0 || end < 0 {
			return found
		}
		name := strings.HasPrefix(all[end+1:], ":")
		if !name && end-start >= shortest {
			found[all[start:end]] = start
		}
	}
}

// closing returns where the next quotation mark stands that no backslash takes
// the meaning from; -1: nowhere.
func closing(all string, from int) int {
	for i := from; ; i++ {
		n := strings.IndexByte(all[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		if before := all[from:i]; (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0 {
			return i
		}
	}
}

func bit(set bool, at uint) uint64 {
	if set {
		return 1 << at
	}
	return 0
}
