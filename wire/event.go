package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall"
)

// eventJSON is an event as it stands on the wire.
type eventJSON struct {
	SpecVersion     string   `json:"specversion"`
	ID              string   `json:"id"`
	Source          string   `json:"source"`
	Type            string   `json:"type"`
	Subject         string   `json:"subject"`
	Time            Time     `json:"time"`
	DataContentType string   `json:"datacontenttype"`
	DataSchema      string   `json:"dataschema"`
	Sequence        string   `json:"sequence"`
	PartitionKey    string   `json:"partitionkey"`
	Epoch           string   `json:"epoch"`
	Tenant          string   `json:"tenant"`
	Data            dataJSON `json:"data"`
}

type dataJSON struct {
	Tenant       string       `json:"tenant"`
	ConferenceID string       `json:"conferenceId"`
	Epoch        int64        `json:"epoch"`
	Sequence     uint64       `json:"sequence"`
	Poll         pollJSON     `json:"poll"`
	Meeting      Meeting      `json:"meeting"`
	Labels       labelsJSON   `json:"labels"`
	Participant  *Person      `json:"participant,omitempty"`
	Reason       string       `json:"reason"`
	Provenance   string       `json:"provenance"`
	Exact        bool         `json:"exact"`
	Window       windowJSON   `json:"window"`
	Summary      *summaryJSON `json:"summary,omitempty"`
}

type pollJSON struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

type windowJSON struct {
	After  Time `json:"after"`
	Before Time `json:"before"`
}

// schemaJSON is what is read of data whose schema is not known.
type schemaJSON struct {
	SpecVersion string `json:"specversion"`
	DataSchema  string `json:"dataschema"`
}

// DecodeEvent reads what [AppendEvent] writes. It refuses any other schema,
// and whatever contradicts itself: an event it returns can be folded. Attributes
// and fields it does not know are passed over.
func DecodeEvent(data []byte) (rollcall.Event, error) {
	var head schemaJSON
	if err := json.Unmarshal(data, &head); err != nil {
		return rollcall.Event{}, fmt.Errorf("decode event: %w", err)
	}
	if head.SpecVersion != "1.0" || head.DataSchema != DataSchema {
		return rollcall.Event{}, fmt.Errorf("decode event: specversion %.64q with dataschema %.64q; this version of rollcall reads 1.0 with %s",
			head.SpecVersion, head.DataSchema, DataSchema)
	}
	var stored eventJSON
	if err := json.Unmarshal(data, &stored); err != nil {
		return rollcall.Event{}, fmt.Errorf("decode event: %w", err)
	}
	e, err := stored.event()
	if err == nil {
		err = CheckPoll(&e)
	}
	if err == nil {
		err = CheckEvent(&e)
	}
	if err == nil {
		err = stored.agree(&e)
	}
	if err != nil {
		return rollcall.Event{}, fmt.Errorf("decode event %.600q: %w", stored.ID, err)
	}
	return e, nil
}

func (j *eventJSON) event() (rollcall.Event, error) {
	d := &j.Data
	word, ok := strings.CutPrefix(j.Type, typePrefix)
	if !ok {
		return rollcall.Event{}, fmt.Errorf("unknown type %.64q", j.Type)
	}
	meeting, err := d.Meeting.Conference()
	if err != nil {
		return rollcall.Event{}, err
	}
	participant, err := d.participant(rollcall.Type(word))
	if err != nil {
		return rollcall.Event{}, err
	}
	return rollcall.Event{
		Tenant: d.Tenant, ConferenceID: d.ConferenceID, Epoch: d.Epoch, Sequence: d.Sequence,
		Type: rollcall.Type(word), Time: j.Time.Time, Exact: d.Exact, Index: d.Poll.Index, Count: d.Poll.Count,
		Meeting: meeting, Labels: d.Labels.labels(), Participant: participant,
		Reason: rollcall.Reason(d.Reason), Provenance: rollcall.Provenance(d.Provenance),
		Window: rollcall.Window{After: d.Window.After.Time, Before: d.Window.Before.Time}, Summary: d.Summary.summary(),
	}, nil
}

func (d *dataJSON) participant(t rollcall.Type) (*rollcall.Participant, error) {
	switch {
	case d.Participant == nil:
		return nil, nil
	case t == rollcall.ParticipantForgotten:
		return &rollcall.Participant{Key: d.Participant.Key}, nil
	}
	p, err := d.Participant.Participant(false)
	return &p, err
}

// agree refuses an envelope that says something else than its data.
func (j *eventJSON) agree(e *rollcall.Event) error {
	token := Token(e.ConferenceID)
	for _, attribute := range []struct{ name, got, want string }{
		{"id", j.ID, string(appendEventID(nil, e, token))},
		{"source", j.Source, sourcePrefix(j.Source) + string(appendSource(nil, e, token))},
		{"subject", j.Subject, string(appendSubject(nil, e, token))},
		{"sequence", j.Sequence, string(AppendDigits(nil, e.Sequence, sequenceDigits))},
		{"partitionkey", j.PartitionKey, e.ConferenceID},
		{"datacontenttype", j.DataContentType, "application/json"},
		{"epoch", j.Epoch, unlessMissing(j.Epoch, strconv.FormatInt(e.Epoch, 10))},
		{"tenant", j.Tenant, unlessMissing(j.Tenant, e.Tenant)},
	} {
		if attribute.got != attribute.want {
			return fmt.Errorf("its %s is %.600q, its data say %.600q", attribute.name, attribute.got, attribute.want)
		}
	}
	if !slices.Contains(rollcall.Provenances(), e.Provenance) {
		return fmt.Errorf("unknown provenance %.64q", e.Provenance)
	}
	return nil
}

// sourcePrefix returns what stands before the path that each source of ours ends with.
func sourcePrefix(source string) string {
	return source[:max(strings.LastIndex(source, "/rollcall/"), 0)]
}

// unlessMissing returns what an attribute must say; events of versions that did not
// know it do not have it.
func unlessMissing(got, want string) string {
	if got == "" {
		return ""
	}
	return want
}
