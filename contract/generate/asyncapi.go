package main

import (
	"strings"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/wire"
)

// asyncAPI is the AsyncAPI 3.0 document: the subjects by their default names.
func asyncAPI() object {
	events, messages := object{}, object{}
	for _, t := range rollcall.Types() {
		name := "event." + string(t)
		messages[name] = message(name, wire.ContentType)
		events[name] = reference("#/components/messages/" + name)
	}
	watch := object{}
	for _, t := range watchTypes() {
		name := "event." + string(t)
		messages[name] = message(name, wire.ContentType)
		watch[name] = reference("#/components/messages/" + name)
	}
	for _, name := range []string{"record", "status", "api.error"} {
		messages[name] = message(name, "application/json")
	}
	channels := object{
		"events": channel("meetings.event.{tenant}.{conference}.{entity}.{verb}", "One event, once it is committed.", events),
		"watch":  channel("meetings.watch.{tenant}.{verb}", "Whether a shard of a tenant is being looked at, when that changes.", watch),
		"record": channel("meetings.state.{tenant}.{conference}", "The record of a meeting, in place of the one before.", one("record")),
		"status": channel("meetings.status.{tenant}", "Whether a tenant is being looked at, after each pass.", one("status")),
	}
	operations := object{
		"readEvents": operation("send", "events", "A worker publishes; subscribers and JetStream consumers receive."),
		"readWatch":  operation("send", "watch", "A worker publishes."),
		"readRecord": operation("send", "record", "A worker publishes with each commit."),
		"readStatus": operation("send", "status", "A worker publishes after each pass."),
	}
	for _, verb := range control.Verbs() {
		addVerb(verb, channels, operations, messages)
	}
	return object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "Rollcall", "version": "1.0.0", "license": object{"name": "Apache-2.0"},
			"description": "Who joined a DingTalk video meeting, who left, and that it ended. docs/events.md says what the words mean, and how a reader misses nothing.",
		},
		"defaultContentType": "application/json",
		"servers":            object{"nats": object{"host": "127.0.0.1:4222", "protocol": "nats", "description": "The embedded server, or your own."}},
		"channels":           channels, "operations": operations, "components": object{"messages": messages},
		"x-jetstream": jetStream(),
	}
}

// addVerb adds what one verb of the service needs.
func addVerb(verb string, channels, operations, messages object) {
	request, answer := "api."+verb+".request", "api."+verb+".answer"
	messages[request], messages[answer] = message(request, "application/json"), message(answer, "application/json")
	channels[request] = channel("rollcall.MEETINGS.api.{tenant}."+verb, "The service rollcall, asked for "+verb+"; any worker may be.", one(request))
	answers := one(answer)
	answers["api.error"] = reference("#/components/messages/api.error")
	channels[answer] = object{
		"address": nil, "messages": answers,
		"description": "The inbox that the request names as its reply subject: _INBOX. and what else nats.inbox_prefix names.",
	}
	receive := operation("receive", request, "A worker answers, a forget within 125 s and everything else within 35 s.")
	receive["reply"] = object{
		"address": object{"location": "$message.header#/reply"}, "channel": reference("#/channels/" + answer),
	}
	operations[verb] = receive
}

func reference(to string) object { return object{"$ref": to} }

func one(name string) object { return object{name: reference("#/components/messages/" + name)} }

func message(name, contentType string) object {
	return object{
		"name": name, "contentType": contentType,
		"payload": object{"schemaFormat": "application/schema+json;version=draft-07", "schema": reference("./schemas/" + name + ".json")},
	}
}

func channel(address, description string, messages object) object {
	parameters := object{}
	for _, name := range []string{"tenant", "conference", "entity", "verb"} {
		if strings.Contains(address, "{"+name+"}") {
			parameters[name] = object{"description": parameter(name)}
		}
	}
	return object{"address": address, "description": description, "messages": messages, "parameters": parameters}
}

func parameter(name string) string {
	switch name {
	case "tenant":
		return "The tenant's name: 1 to 32 of a-z 0-9 -."
	case "conference":
		return "The conference id as a token: every byte outside A-Z a-z 0-9 _ - is written %XX in capitals."
	case "entity":
		return "meeting or participant."
	}
	return "What happened to it: joined, mic_opened."
}

func operation(action, channel, summary string) object {
	return object{"action": action, "channel": reference("#/channels/" + channel), "summary": summary}
}

// jetStream are the facts that AsyncAPI's binding for NATS has no words for.
func jetStream() object {
	return object{
		"stream": "MEETINGS", "subjects": []string{"rollcall.MEETINGS.commit.>"},
		"subjectTransform": object{"src": "rollcall.MEETINGS.commit.>", "dest": "meetings.>"},
		"republish":        object{"src": "meetings.>", "dest": "meetings.>"},
		"retention":        object{"policy": "limits", "maxAge": "168h", "discard": "new"},
		"atomicBatches":    "The events of one poll are stored together with the record they lead to.",
		"records":          object{"subject": "meetings.state.>", "rollup": "sub", "read": "$JS.API.DIRECT.GET.MEETINGS.meetings.state.{tenant}.{conference}"},
		"bind":             "By the stream's name: a client that searches for meetings.event.> among the streams' subjects finds none.",
		"sources":          "A stream of your own takes the events by sources with a filter; one that lists meetings.event.> among its subjects stores nothing.",
		"headers":          object{"Content-Type": wire.ContentType},
		"order":            "data.sequence within data.epoch of one meeting; nothing else orders events.",
	}
}
