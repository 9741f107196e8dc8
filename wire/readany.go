package wire

import (
	"encoding/json"
	"errors"
	"fmt"

	"rollcall"
)

// ErrNewerSchema is matched by the error for what a newer rollcall has stored.
// Such a thing is left alone: only the newer version may write it.
var ErrNewerSchema = errors.New("stored by a newer version of rollcall")

// recordJSON is the stored shape of a record.
type recordJSON struct {
	Schema        int          `json:"schema"`
	Tenant        string       `json:"tenant"`
	ConferenceID  string       `json:"conferenceId"`
	Epoch         int64        `json:"epoch"`
	Sequence      uint64       `json:"sequence"`
	ObservedAt    Time         `json:"observedAt"`
	Term          uint64       `json:"term"`
	Poll          uint64       `json:"poll"`
	Labels        labelsJSON   `json:"labels"`
	Meeting       Meeting      `json:"meeting"`
	Roster        []Person     `json:"roster"`
	Memory        []memoryJSON `json:"memory"`
	Misses        int          `json:"misses"`
	Partial       *partialJSON `json:"partial"`
	EndReason     string       `json:"endReason"`
	EndedAt       Time         `json:"endedAt"`
	Summarized    bool         `json:"summarized"`
	Untracked     bool         `json:"untracked"`
	StatusUnknown bool         `json:"statusUnknown"`
	Unlisted      bool         `json:"unlisted"`
	Forgotten     bool         `json:"forgotten"`
	Erased        []string     `json:"erased,omitempty"`
	RolesAt       Time         `json:"rolesAt,omitzero"`
}

type partialJSON struct {
	Provenance  string `json:"provenance"`
	WindowAfter Time   `json:"windowAfter"`
}

// DecodeRecord reads a stored record. Fields it does not know are passed over;
// a schema above [RecordSchema] is refused with [ErrNewerSchema], and anything
// that is no record with an error that says what is wrong.
func DecodeRecord(data []byte) (*rollcall.Record, error) {
	if r := readRecord(data); r != nil {
		return r, nil
	}
	return decodeRecord(data)
}

// decodeRecord is DecodeRecord for a record in any form.
func decodeRecord(data []byte) (*rollcall.Record, error) {
	var stored recordJSON
	err := json.Unmarshal(data, &stored)
	if schemaErr := CheckSchema(data, stored.Schema, err); schemaErr != nil {
		return nil, fmt.Errorf("decode record: %w", schemaErr)
	}
	r, err := stored.record()
	if err == nil {
		err = checkRecord(r)
	}
	if err != nil {
		return nil, fmt.Errorf("decode record of meeting %.300q: %w", stored.ConferenceID, err)
	}
	return r, nil
}

// CheckSchema judges how something stored was read that has a "schema": err is
// that of the decoder, and where it is set the schema is looked for on its own,
// since a newer shape may be why. A schema above [RecordSchema] is refused with
// [ErrNewerSchema].
func CheckSchema(data []byte, schema int, err error) error {
	if err != nil {
		var head struct {
			Schema int `json:"schema"`
		}
		if json.Unmarshal(data, &head) != nil || head.Schema <= RecordSchema {
			return err
		}
		schema = head.Schema
	}
	if schema > RecordSchema {
		return fmt.Errorf("%w: schema %d, this version reads up to %d; upgrade this worker", ErrNewerSchema, schema, RecordSchema)
	}
	if schema < 1 {
		return fmt.Errorf("no schema in %.100q", data)
	}
	return nil
}

func (j *recordJSON) record() (*rollcall.Record, error) {
	meeting, err := j.Meeting.Conference()
	if err != nil {
		return nil, err
	}
	if j.StatusUnknown {
		meeting.Status = rollcall.StatusUnknown
	}
	roster, err := j.roster()
	if err != nil {
		return nil, err
	}
	memory, err := j.memory()
	if err != nil {
		return nil, err
	}
	return &rollcall.Record{
		Tenant: j.Tenant, ConferenceID: j.ConferenceID, Epoch: j.Epoch, Sequence: j.Sequence,
		ObservedAt: j.ObservedAt.Time, Number: rollcall.Number{Term: j.Term, Poll: j.Poll},
		Labels: j.Labels.labels(), Meeting: meeting, Roster: roster, Memory: memory, Misses: j.Misses, Partial: j.Partial.partial(),
		EndReason: rollcall.Reason(j.EndReason), EndedAt: j.EndedAt.Time,
		Summarized: j.Summarized, Untracked: j.Untracked, Unlisted: j.Unlisted, Forgotten: j.Forgotten, Erased: j.Erased, RolesAt: j.RolesAt.Time,
	}, nil
}

func (j *recordJSON) roster() ([]rollcall.Participant, error) {
	if len(j.Roster) == 0 {
		return nil, nil
	}
	roster := make([]rollcall.Participant, len(j.Roster))
	for i := range j.Roster {
		p, err := j.Roster[i].Participant(false)
		if err != nil {
			return nil, fmt.Errorf("roster entry %d: %w", i, err)
		}
		roster[i] = p
	}
	return roster, nil
}

func (j *recordJSON) memory() ([]rollcall.Memory, error) {
	if len(j.Memory) == 0 {
		return nil, nil
	}
	memory := make([]rollcall.Memory, len(j.Memory))
	for i := range j.Memory {
		m, err := j.Memory[i].memory()
		if err != nil {
			return nil, fmt.Errorf("memory entry %d: %w", i, err)
		}
		memory[i] = m
	}
	return memory, nil
}

func (p *partialJSON) partial() *rollcall.Partial {
	if p == nil {
		return nil
	}
	return &rollcall.Partial{Provenance: rollcall.Provenance(p.Provenance), WindowAfter: p.WindowAfter.Time}
}
