package chat

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

func teams() service {
	return service{
		name: "teams", route: "POST /workflows/{token}/triggers/manual/paths/invoke",
		path: func(name string) string {
			return "/workflows/" + name + "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=simulated-" + name
		},
		token:   teamsToken,
		rates:   []rate{{4, time.Second}, {60, time.Minute}},
		read:    readTeams,
		ok:      reply{202, nil, ""},
		unknown: *teamsError(401, "AuthorizationFailed", "The authentication credentials are not valid."),
		faults: map[FaultKind]reply{
			Throttle: {429, map[string]string{"Retry-After": "20"}, `{"error":{"code":"WorkflowRequestsThrottled","message":"Too many requests."}}`},
			Refuse:   *teamsError(401, "DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme."),
			Gone:     *teamsError(404, "WorkflowNotFound", "The workflow could not be found."),
			TooLarge: *teamsError(413, "RequestEntityTooLarge", "The request is too large."),
			Break:    *teamsError(502, "NoResponse", "The server did not receive a response from an upstream server."),
		},
	}
}

// teamsToken is the robot's name where the signature in the address is its own.
func teamsToken(r *http.Request) string {
	if name := r.PathValue("token"); r.URL.Query().Get("sig") == "simulated-"+name {
		return name
	}
	return ""
}

type teamsBlock struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Weight  string `json:"weight"`
	Inlines []struct {
		Text string `json:"text"`
	} `json:"inlines"`
}

type teamsBody struct {
	Type        string `json:"type"`
	Attachments []struct {
		ContentType string `json:"contentType"`
		Content     struct {
			Type    string       `json:"type"`
			Version string       `json:"version"`
			Body    []teamsBlock `json:"body"`
			Teams   struct {
				Entities []struct {
					Mentioned struct {
						ID string `json:"id"`
					} `json:"mentioned"`
				} `json:"entities"`
			} `json:"msteams"`
		} `json:"content"`
	} `json:"attachments"`
}

func readTeams(in incoming) (Message, *reply) {
	var b teamsBody
	if err := json.Unmarshal(in.body, &b); err != nil || b.Type != "message" {
		return Message{}, teamsError(400, "TriggerInputSchemaMismatch", "The input body for trigger 'manual' of type 'Request' did not match its schema definition.")
	}
	if len(in.body) > 28<<10 {
		return Message{}, teamsError(413, "RequestEntityTooLarge", "The request is too large.")
	}
	m := Message{Form: "card"}
	for _, a := range b.Attachments {
		if a.ContentType != "application/vnd.microsoft.card.adaptive" || a.Content.Type != "AdaptiveCard" || len(a.Content.Body) == 0 {
			return m, &reply{202, nil, ""} // the card fails in the flow, which only its history shows
		}
		m.Title, m.Text = teamsText(a.Content.Body)
		for _, e := range a.Content.Teams.Entities {
			m.Mentions = append(m.Mentions, e.Mentioned.ID)
		}
	}
	return m, nil
}

// teamsText returns the first heading, and the other blocks as lines.
func teamsText(blocks []teamsBlock) (title, text string) {
	lines := []string{}
	for _, block := range blocks {
		for _, run := range block.Inlines {
			block.Text += run.Text
		}
		if title == "" && block.Weight == "Bolder" {
			title = block.Text
			continue
		}
		lines = append(lines, block.Text)
	}
	return title, strings.Join(lines, "\n")
}

func teamsError(status int, code, words string) *reply {
	text, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": words}}) // strings alone
	r := inJSON(status, string(text))
	return &r
}
