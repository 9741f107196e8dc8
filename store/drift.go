package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// setting is one setting of the stream that matters, as found and as wanted.
type setting struct {
	name        string // as nats-server writes it in a stream's configuration
	found, want any
	fix         fix
}

// fix says what the operator can do about a setting.
type fix uint8

const (
	edit   fix = iota // edit the stream
	choose            // edit the stream, or the key of the configuration
	renew             // nats-server cannot change it: another stream
)

func settings(found, want *jetstream.StreamConfig) []setting {
	return []setting{
		{"subjects", found.Subjects, want.Subjects, edit},
		{"subject_transform", transform(found), transform(want), edit},
		{"republish", republish(found), republish(want), edit},
		{"allow_atomic", found.AllowAtomicPublish, want.AllowAtomicPublish, edit},
		{"allow_msg_ttl", found.AllowMsgTTL, want.AllowMsgTTL, edit},
		{"allow_rollup_hdrs", found.AllowRollup, want.AllowRollup, edit},
		{"allow_direct", found.AllowDirect, want.AllowDirect, edit},
		{"retention", found.Retention, want.Retention, renew},
		{"storage", found.Storage, want.Storage, renew},
		{"persist_mode", found.PersistMode, want.PersistMode, renew},
		{"discard", found.Discard, want.Discard, edit},
		{"discard_new_per_subject", found.DiscardNewPerSubject, want.DiscardNewPerSubject, edit},
		{"max_msgs", found.MaxMsgs, want.MaxMsgs, edit},
		{"max_msgs_per_subject", found.MaxMsgsPerSubject, want.MaxMsgsPerSubject, edit},
		{"max_msg_size", found.MaxMsgSize, want.MaxMsgSize, edit},
		{"no_ack", found.NoAck, want.NoAck, edit},
		{"sealed", found.Sealed, want.Sealed, renew},
		{"deny_purge", found.DenyPurge, want.DenyPurge, renew},
		{"mirror", found.Mirror != nil, want.Mirror != nil, renew},
		{"sources", len(found.Sources), len(want.Sources), edit},
		{"subject_delete_marker_ttl", found.SubjectDeleteMarkerTTL, want.SubjectDeleteMarkerTTL, edit},
		{"max_age", found.MaxAge, want.MaxAge, choose},
		{"max_bytes", found.MaxBytes, want.MaxBytes, choose},
		{"num_replicas", found.Replicas, want.Replicas, choose},
	}
}

// configKey is the key of Rollcall's configuration behind a setting of the stream.
func configKey(name string) string {
	switch name {
	case "max_age":
		return "stream.retention"
	case "num_replicas":
		return "stream.replicas"
	}
	return "stream." + name
}

// checkStream refuses a stream that is not as wanted, all differences at once.
func checkStream(found, want *jetstream.StreamConfig) error {
	var complaints []error
	for _, s := range settings(found, want) {
		got, wanted := show(s.found), show(s.want)
		if got != wanted {
			complaints = append(complaints, fmt.Errorf("stream %s has %s %s, wanted is %s: %s",
				want.Name, s.name, got, wanted, s.advice(want.Name)))
		}
	}
	return errors.Join(complaints...)
}

func (s setting) advice(stream string) string {
	editing := fmt.Sprintf("save nats stream info %s --json, set config.%s in it, and apply the config with nats stream edit %s --config FILE",
		stream, s.name, stream)
	switch s.fix {
	case choose:
		return fmt.Sprintf("set %s to %s in Rollcall's configuration, or %s", configKey(s.name), s.choice(), editing)
	case renew:
		return "nats-server cannot change this: choose another stream.name, or delete the stream and what it holds with nats stream rm " + stream
	}
	return editing
}

// choice writes what was found as Rollcall's configuration would say it.
func (s setting) choice() string {
	if s.name == "max_bytes" && s.found == int64(-1) {
		return "0"
	}
	return show(s.found)
}

func show(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return v.String()
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(value)
}

func transform(c *jetstream.StreamConfig) string {
	if c.SubjectTransform == nil {
		return "none"
	}
	return c.SubjectTransform.Source + " to " + c.SubjectTransform.Destination
}

func republish(c *jetstream.StreamConfig) string {
	if c.RePublish == nil {
		return "none"
	}
	if c.RePublish.HeadersOnly {
		return c.RePublish.Source + " to " + c.RePublish.Destination + " without payloads"
	}
	return c.RePublish.Source + " to " + c.RePublish.Destination
}
