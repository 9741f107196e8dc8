package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall"
)

// Version is the version of a record's payload.
const Version = 1

// payload is the stored shape of an observation.
type payload struct {
	Version    int               `json:"v"`
	Tenant     string            `json:"tenant"`
	Shard      int               `json:"shard"`
	Term       uint64            `json:"term"`
	Poll       uint64            `json:"poll"`
	AskedAt    time.Time         `json:"askedAt"`
	AnsweredAt time.Time         `json:"answeredAt"`
	Sightings  []payloadSighting `json:"sightings"`
}

type payloadSighting struct {
	ConferenceID string    `json:"id"`
	Kind         string    `json:"kind"`
	Raw          []byte    `json:"raw,omitempty"` // base64: byte for byte as it arrived
	EndTime      time.Time `json:"endTime,omitzero"`
	Reason       string    `json:"reason,omitempty"`
}

// kindNames are the kinds of a sighting as they are stored.
func kindNames() map[rollcall.SightingKind]string {
	return map[rollcall.SightingKind]string{
		rollcall.SightingListed: "listed", rollcall.SightingEnded: "ended", rollcall.SightingOngoing: "ongoing",
		rollcall.SightingMissed: "missed", rollcall.SightingUntracked: "untracked", rollcall.SightingSummarized: "summarized",
	}
}

// errNewer marks a journal that must not be touched.
var errNewer = errors.New("the journal was written by another version of rollcall")

// IsNewer reports whether an error of [Open] says that another version wrote
// the journal, and still has to read it.
func IsNewer(err error) bool { return errors.Is(err, errNewer) }

func encode(obs *rollcall.Observation) ([]byte, error) {
	p := payload{
		Version: Version, Tenant: obs.Tenant, Shard: obs.Shard, Term: obs.Number.Term, Poll: obs.Number.Poll,
		AskedAt: obs.AskedAt, AnsweredAt: obs.AnsweredAt, Sightings: make([]payloadSighting, 0, len(obs.Sightings)),
	}
	names := kindNames()
	for _, s := range obs.Sightings {
		name, ok := names[s.Kind]
		if !ok {
			return nil, fmt.Errorf("encode sighting of %q: kind %d has no name", s.ConferenceID, s.Kind)
		}
		p.Sightings = append(p.Sightings, payloadSighting{s.ConferenceID, name, s.Raw, s.EndTime, string(s.Reason)})
	}
	return json.Marshal(p)
}

func decode(data []byte) (*rollcall.Observation, error) {
	var versioned struct {
		Version int `json:"v"`
	}
	var p payload
	err := json.Unmarshal(data, &versioned)
	if err == nil && versioned.Version != Version {
		return nil, fmt.Errorf("%w: a record has version %d, this rollcall reads %d; start the version that wrote it "+
			"until the journal is empty", errNewer, versioned.Version, Version)
	}
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
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
			ConferenceID: s.ConferenceID, Kind: kind, Raw: s.Raw, EndTime: s.EndTime, Reason: rollcall.Reason(s.Reason),
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
