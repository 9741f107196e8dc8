package chat

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func webhook() service {
	return service{
		name: "webhook", secret: "whsec_c2ltdWxhdGVkLXdlYmhvb2stc2VjcmV0", route: "POST /webhook/{token}",
		path:    func(name string) string { return "/webhook/" + name },
		token:   func(r *http.Request) string { return r.PathValue("token") },
		read:    readWebhook,
		ok:      reply{204, nil, ""},
		unknown: reply{404, nil, ""},
		faults:  map[FaultKind]reply{Refuse: {401, nil, "the signature is wrong"}},
	}
}

// readWebhook takes a CloudEvent that is signed as Standard Webhooks say.
func readWebhook(in incoming) (Message, *reply) {
	m := Message{ID: in.request.Header.Get(standardwebhooks.HeaderWebhookID), Form: "event", Text: string(in.body)}
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	media, _, _ := mime.ParseMediaType(in.request.Header.Get("Content-Type")) // what is none is not what is wanted
	if err := json.Unmarshal(in.body, &event); err != nil || media != "application/cloudevents+json" {
		return m, &reply{415, nil, "a CloudEvent in JSON is wanted"}
	}
	m.Title = event.Type
	if event.ID != m.ID || !webhookSigned(in) {
		return m, &reply{401, nil, "the signature is wrong"}
	}
	return m, nil
}

// webhookSigned reports whether a request is signed, within the last minutes.
func webhookSigned(in incoming) bool {
	if in.robot.Secret == "" {
		return true
	}
	const tolerance = 5 * time.Minute
	seconds, err := strconv.ParseInt(in.request.Header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil || in.at.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	// The library's own comparison of times goes by another clock.
	key, err := standardwebhooks.NewWebhook(in.robot.Secret)
	return err == nil && key.VerifyIgnoringTimestamp(in.body, in.request.Header) == nil
}
