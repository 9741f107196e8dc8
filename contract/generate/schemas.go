package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/wire"
)

const (
	draft         = "https://json-schema.org/draft/2020-12/schema"
	maxLabels     = rollcall.MaxLabels
	maxLabelValue = rollcall.MaxLabelValue
	labelKey      = `^[a-z0-9_.-]{1,63}$`
)

// schemas are all of them, by name.
func schemas() map[string]object {
	all := map[string]object{
		"record":    titled("record", "The stored state of a meeting, on meetings.state.<tenant>.<conference>.", recordSchema()),
		"status":    titled("status", "Whether a tenant is being looked at, on meetings.status.<tenant>.", statusSchema()),
		"api.error": titled("api.error", "The answer of the service with the header Nats-Service-Error-Code.", errorSchema()),
	}
	for _, t := range rollcall.Types() {
		all["event."+string(t)] = titled("event."+string(t), "A CloudEvent rollcall."+string(t)+".", eventSchema(t))
	}
	for _, t := range watchTypes() {
		all["event."+string(t)] = titled("event."+string(t), "A CloudEvent rollcall."+string(t)+".", watchSchema(t))
	}
	for _, verb := range control.Verbs() {
		all["api."+verb+".request"] = titled("api."+verb+".request", "What the service is asked for with "+verb+".", requestSchema(verb))
		answer := reflect.TypeFor[control.Meeting]()
		switch verb {
		case "list":
			answer = reflect.TypeFor[control.List]()
		case "forget":
			answer = reflect.TypeFor[control.Forgotten]()
		}
		all["api."+verb+".answer"] = titled("api."+verb+".answer", "What the service answers to "+verb+".", shape{words()}.of(answer, ""))
	}
	return all
}

func titled(name, description string, schema object) object {
	schema["$schema"], schema["$id"] = draft, "rollcall:schema:1:"+name
	schema["title"], schema["description"] = name, description
	return schema
}

// eventSchema is that of a type of event.
func eventSchema(t rollcall.Type) object {
	schema := shape{envelope(t)}.of(wire.EventShape(), "")
	data := schema["properties"].(object)["data"].(object)
	if t != rollcall.MeetingSummarized {
		delete(data["properties"].(object), "summary")
	}
	if t.Entity() == "participant" {
		data["required"] = sorted(append(data["required"].([]string), "participant"))
		if t == rollcall.ParticipantForgotten {
			data["properties"].(object)["participant"] = object{
				"type": "object", "properties": object{"key": object{"type": "string", "pattern": "^forgotten-[0-9a-f]{32}$"}},
				"required": []string{"key"}, "additionalProperties": false,
			}
		}
	} else {
		delete(data["properties"].(object), "participant")
	}
	return schema
}

func watchTypes() []rollcall.Type { return []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed} }

// watchSchema is that of a watch event, which is about a shard and not a meeting.
func watchSchema(t rollcall.Type) object {
	said := envelope(t)
	said["id"], said["source"] = object{"pattern": `^[a-z0-9-]{1,32}/watch-\d+/\d+-\d{12,}$`}, object{"pattern": `/rollcall/[a-z0-9-]{1,32}$`}
	said["data.reason"] = object{"enum": rollcall.WatchReasons()}
	said["data.shard"], said["data.shards"] = object{"minimum": 0}, object{"minimum": 1}
	return shape{said}.of(wire.WatchShape(), "")
}

// recordSchema says of what is not for consumers that it is there, and of which type.
func recordSchema() object {
	said := words()
	for _, member := range []string{
		"unlisted", "forgotten", "memory.userId", "memory.nick", "memory.mic", "memory.camera", "memory.rejectDescription", "memory.session",
		"memory.failed", "memory.kickedOut", "memory.left",
	} {
		said[member] = object{"optional": true}
	}
	unsaid := func(words []string) []string { return append(words, "") }
	said["memory.mic"]["enum"], said["memory.camera"]["enum"] = unsaid(devices()), unsaid(devices())
	said["memory.attendance"] = object{"enum": unsaid(attendances())}
	said["roster.attendance"] = object{"enum": attendances()[:3]}
	said["endReason"] = object{"enum": append(rollcall.Reasons(rollcall.MeetingEnded), rollcall.Reasons(rollcall.MeetingUntracked)...)}
	return shape{said}.of(wire.RecordShape(), "")
}

func statusSchema() object {
	said := words()
	said["state"] = object{"enum": []string{wire.StateOK, wire.StateThrottled, wire.StateQuota, wire.StateAuth, wire.StateAway}}
	said["at"] = instant()
	said["pace"] = object{"description": "a Go duration, such as 15s"}
	return shape{said}.of(wire.StatusShape(), "")
}

func errorSchema() object {
	said := words()
	said["error"], said["error.code"] = object{"optional": false}, object{"enum": control.Codes()}
	return shape{said}.of(control.ErrorShape(), "")
}

// requestSchema takes no other member than the verb does, as the service.
func requestSchema(verb string) object {
	schema := shape{words()}.of(control.RequestShape(), "")
	properties := schema["properties"].(object)
	names := control.Members(verb)
	for name := range properties {
		if !slices.Contains(names, name) {
			delete(properties, name)
		}
	}
	schema["additionalProperties"], schema["required"] = false, []string{}
	if verb != "list" {
		schema["required"] = names[:1]
	}
	return schema
}

// words are what members of a name may be beside their types, wherever they stand.
func words() map[string]object {
	return map[string]object{
		"*.schema": {"const": 1}, "*.tenant": {"pattern": `^[a-z0-9-]{1,32}$`}, "*.conferenceId": {"minLength": 1, "maxLength": rollcall.MaxID},
		"*.status": {"enum": []string{"initialized", "started", "ended"}}, "*.present": {"minimum": 0}, "*.endTime": instant(),
		"*.key": {"minLength": 1}, "*.attendance": {"enum": attendances()}, "*.mic": {"enum": devices()}, "*.camera": {"enum": devices()},
		"*.session": {"minimum": 0}, "*.provenance": {"enum": rollcall.Provenances()},
	}
}

// envelope are what the members of an event may be.
func envelope(t rollcall.Type) map[string]object {
	said := words()
	maps.Copy(said, map[string]object{
		"specversion": {"const": "1.0"}, "datacontenttype": {"const": "application/json"}, "dataschema": {"const": wire.DataSchema},
		"id": {"pattern": `^[a-z0-9-]{1,32}/[^/]+/\d+-\d{12,}$`}, "source": {"pattern": `/rollcall/[a-z0-9-]{1,32}/[^/]+$`},
		"type": {"const": "rollcall." + string(t)}, "subject": {"minLength": 1}, "time": instant(), "sequence": {"pattern": `^\d{12,}$`},
		"partitionkey": {"minLength": 1}, "epoch": {"pattern": `^\d+$`},
		"data.epoch": {"minimum": 0}, "data.sequence": {"minimum": 1}, "data.poll.index": {"minimum": 1}, "data.poll.count": {"minimum": 1},
		"data.summary.participants.visits.how": {"enum": rollcall.Departures()},
		"data.reason":                          {"enum": rollcall.Reasons(t)}, "data.window.before": instant(),
	})
	return said
}

// instant is a time that is never null.
func instant() object { return object{"type": "string"} }

func attendances() (all []string) {
	for a := rollcall.AttendanceInvited; a <= rollcall.AttendanceLeft; a++ {
		all = append(all, a.String())
	}
	return all
}

func devices() []string {
	return []string{rollcall.DeviceOpen.String(), rollcall.DeviceClosed.String()}
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.SortFunc(names, strings.Compare)
	return names
}
