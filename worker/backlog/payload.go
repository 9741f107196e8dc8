package backlog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall"
)

// A payload is a version byte, the length of the lane's key, the key, the term
// in eight bytes, little-endian, and the observation as JSON. So a lane passes
// over what is not its own without reading it. A key of the length 255 has the
// origin of the file behind it, as JSON. What a meeting's answer said is kept as
// it was read, and nothing of its bytes: not a member that nobody reads.
const (
	version     = 2
	version1    = '{' // JSON from the first byte on
	originKey   = 0xff
	maxKey      = 100
	frontBytes  = 1 << 10 // holds key and term, or a whole origin
	headVersion = 1
)

// errNewer marks a file that must not be touched.
var errNewer = errors.New("the journal was written by another version of rollcall")

// IsNewer reports whether an error of [Open] says that another version wrote
// the file, and still has to read it.
func IsNewer(err error) bool { return errors.Is(err, errNewer) }

type payload struct {
	Tenant     string     `json:"tenant"`
	Shard      int        `json:"shard"`
	Term       uint64     `json:"term"`
	Poll       uint64     `json:"poll"`
	AskedAt    time.Time  `json:"askedAt"`
	AnsweredAt time.Time  `json:"answeredAt"`
	Sightings  []sighting `json:"sightings"`
}

type sighting struct {
	ConferenceID string          `json:"id"`
	Kind         string          `json:"kind"`
	Raw          []byte          `json:"raw,omitempty"` // of the version before: as it arrived
	Answer       *answer         `json:"answer,omitempty"`
	SeenAt       time.Time       `json:"seenAt,omitzero"`
	StartTime    time.Time       `json:"startTime,omitzero"`
	EndTime      time.Time       `json:"endTime,omitzero"`
	Reason       rollcall.Reason `json:"reason,omitempty"`
	// Of a list of members, and of what is known of an ended meeting; as Go writes it.
	Members  []rollcall.Member `json:"members,omitempty"`
	Summary  *rollcall.Summary `json:"summary,omitempty"`
	Sequence uint64            `json:"sequence,omitempty"`
}

// answer is a [rollcall.Answer]; its words are their numbers.
type answer struct {
	Title      string            `json:"title,omitempty"`
	StartTime  time.Time         `json:"start,omitzero"`
	Status     rollcall.Status   `json:"status,omitempty"`
	Media      rollcall.Media    `json:"media,omitempty"`
	MediaGiven bool              `json:"mediaGiven,omitempty"`
	Listed     bool              `json:"listed,omitempty"`
	Partial    bool              `json:"partial,omitempty"`
	Entries    []entry           `json:"entries,omitempty"`
	Oddities   []rollcall.Oddity `json:"odd,omitempty"`
}

type entry struct {
	UserID            string              `json:"id,omitempty"`
	Nick              string              `json:"nick,omitempty"`
	Attendance        rollcall.Attendance `json:"att,omitempty"`
	Mic               rollcall.Device     `json:"mic,omitempty"`
	Camera            rollcall.Device     `json:"cam,omitempty"`
	RejectDescription string              `json:"reject,omitempty"`
}

// kindNames are the kinds of a sighting as they are stored.
func kindNames() map[rollcall.SightingKind]string {
	return map[rollcall.SightingKind]string{
		rollcall.SightingListed: "listed", rollcall.SightingEnded: "ended", rollcall.SightingOngoing: "ongoing",
		rollcall.SightingMissed: "missed", rollcall.SightingUntracked: "untracked", rollcall.SightingSummarized: "summarized", rollcall.SightingMembers: "members",
		rollcall.SightingForgotten: "forgotten",
	}
}

// leftOut reports whether a sighting is not written: its answer is that of the
// poll before, which is in the file, or stored, already.
func leftOut(s *rollcall.Sighting) bool { return s.Kind == rollcall.SightingListed && s.Answer == nil }

// leaveOut remembers when meetings were asked about that are left out, until
// one is written again.
func leaveOut(obs *rollcall.Observation, same map[string]time.Time) {
	for i := range obs.Sightings {
		s := &obs.Sightings[i]
		if leftOut(s) {
			same[s.ConferenceID] = obs.AskedAt
		} else {
			delete(same, s.ConferenceID)
		}
	}
}

// encode returns the payload of an observation; nil: everything in it is left out.
func encode(key string, obs *rollcall.Observation, same map[string]time.Time) ([]byte, error) {
	if len(key) > maxKey {
		return nil, fmt.Errorf("append to the journal: the key %q is longer than %d bytes", key, maxKey)
	}
	p := payload{
		Tenant: obs.Tenant, Shard: obs.Shard, Term: obs.Number.Term, Poll: obs.Number.Poll,
		AskedAt: obs.AskedAt, AnsweredAt: obs.AnsweredAt,
	}
	names := kindNames()
	for i := range obs.Sightings {
		s := &obs.Sightings[i]
		if leftOut(s) {
			continue
		}
		name, ok := names[s.Kind]
		if !ok {
			return nil, fmt.Errorf("append to the journal: sighting of %q: kind %d has no name", s.ConferenceID, s.Kind)
		}
		p.Sightings = append(p.Sightings, sighting{
			ConferenceID: s.ConferenceID, Kind: name, Answer: written(s.Answer),
			SeenAt: same[s.ConferenceID], StartTime: s.StartTime, EndTime: s.EndTime, Reason: s.Reason, Members: s.Members, Summary: s.Summary, Sequence: s.Sequence,
		})
	}
	if len(p.Sightings) == 0 {
		leaveOut(obs, same)
		return nil, nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("append to the journal: %w", err)
	}
	front := append([]byte{version, byte(len(key))}, key...)
	front = binary.LittleEndian.AppendUint64(front, obs.Number.Term)
	return append(front, data...), nil
}

func written(a *rollcall.Answer) *answer {
	if a == nil {
		return nil
	}
	out := &answer{
		Title: a.Title, StartTime: a.StartTime, Status: a.Status, Media: a.Media, MediaGiven: a.MediaGiven,
		Listed: a.Listed, Partial: a.Partial, Oddities: a.Oddities,
	}
	for _, e := range a.Entries {
		out.Entries = append(out.Entries, entry(e))
	}
	return out
}

func (a *answer) read() *rollcall.Answer {
	if a == nil {
		return nil
	}
	out := &rollcall.Answer{
		Title: a.Title, StartTime: a.StartTime, Status: a.Status, Media: a.Media, MediaGiven: a.MediaGiven,
		Listed: a.Listed, Partial: a.Partial, Oddities: a.Oddities,
	}
	for _, e := range a.Entries {
		out.Entries = append(out.Entries, rollcall.Entry(e))
	}
	return out
}

// keyOf returns the key of the lane that wrote a record; "": it is of the version
// before.
func keyOf(front []byte) string {
	if len(front) < 2 || front[0] != version || len(front) < 2+int(front[1]) {
		return ""
	}
	return string(front[2 : 2+int(front[1])])
}

// head is what a look at the file needs of a record.
type head struct {
	key   string // of the version before: the tenant
	term  uint64
	asked time.Time // of the version before alone
}

func headOf(front []byte, whole func() ([]byte, error)) (head, error) {
	switch {
	case len(front) > 0 && front[0] == version1:
		return headOf1(whole)
	case len(front) == 0 || front[0] != version:
		return head{}, fmt.Errorf("%w: start the version that wrote it until the journal is empty", errNewer)
	}
	key := keyOf(front)
	if key == "" || len(front) < 2+len(key)+8 {
		return head{}, errors.New("a record has no key and is lost")
	}
	return head{key: key, term: binary.LittleEndian.Uint64(front[2+len(key):])}, nil
}

func headOf1(whole func() ([]byte, error)) (head, error) {
	data, err := whole()
	if err != nil {
		return head{}, err
	}
	var p struct {
		Version int       `json:"v"`
		Tenant  string    `json:"tenant"`
		Term    uint64    `json:"term"`
		AskedAt time.Time `json:"askedAt"`
	}
	err = json.Unmarshal(data, &p)
	if p.Version != headVersion && (err == nil || p.Version != 0) {
		return head{}, fmt.Errorf("%w: a record has version %d, this rollcall reads %d and %d; start the version that wrote it "+
			"until the journal is empty", errNewer, p.Version, headVersion, version)
	}
	if err != nil {
		return head{}, fmt.Errorf("a record cannot be read and is lost: %w", err)
	}
	return head{p.Tenant, p.Term, p.AskedAt}, nil
}

func decode(data []byte) (*rollcall.Observation, error) {
	if data[0] == version {
		data = data[2+int(data[1])+8:]
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("a record cannot be read and is lost: %w", err)
	}
	obs := &rollcall.Observation{
		Tenant: p.Tenant, Shard: p.Shard, Number: rollcall.Number{Term: p.Term, Poll: p.Poll},
		AskedAt: p.AskedAt, AnsweredAt: p.AnsweredAt,
	}
	for _, s := range p.Sightings {
		kind, err := parseKind(s.Kind)
		if err != nil {
			return nil, err
		}
		obs.Sightings = append(obs.Sightings, rollcall.Sighting{
			ConferenceID: s.ConferenceID, Kind: kind, Raw: s.Raw, Answer: s.Answer.read(), SeenAt: s.SeenAt,
			StartTime: s.StartTime, EndTime: s.EndTime, Reason: s.Reason, Members: s.Members, Summary: s.Summary, Sequence: s.Sequence,
		})
	}
	return obs, nil
}

func parseKind(name string) (rollcall.SightingKind, error) {
	for kind, known := range kindNames() {
		if known == name {
			return kind, nil
		}
	}
	return 0, fmt.Errorf("a record holds a sighting of the kind %q, which this rollcall does not know; it is lost", name)
}
