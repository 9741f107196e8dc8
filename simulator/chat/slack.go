package chat

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

func slack() service {
	const hook = "/services/T0000/B0000/"
	return service{
		name: "slack", route: "POST " + hook + "{token}",
		path:    func(name string) string { return hook + name },
		token:   func(r *http.Request) string { return r.PathValue("token") },
		rates:   []rate{{1, time.Second}},
		read:    readSlack,
		ok:      reply{200, nil, "ok"},
		unknown: reply{404, nil, "no_service"},
		faults: map[FaultKind]reply{
			Throttle: {429, map[string]string{"Retry-After": "30"}, "rate_limited"},
			Refuse:   {403, nil, "action_prohibited"},
			Gone:     {410, nil, "channel_is_archived"},
			TooLarge: {400, nil, "msg_too_long"},
			Break:    {500, nil, "rollup_error"},
		},
	}
}

type slackBlock struct {
	Type string `json:"type"`
	Text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"text"`
}

func readSlack(in incoming) (Message, *reply) {
	var b struct {
		Text   string       `json:"text"`
		Blocks []slackBlock `json:"blocks"`
	}
	if err := json.Unmarshal(in.body, &b); err != nil {
		return Message{}, &reply{400, nil, "invalid_payload"}
	}
	m := Message{Form: "text", Text: b.Text}
	if len(b.Blocks) > 0 {
		m.Form = "blocks"
		m.Title, m.Text = slackText(b.Blocks)
	}
	m.Mentions = append(tags(m.Text, "<@", ">"), tags(m.Text, "<!", ">")...)
	switch {
	case b.Text == "" && len(b.Blocks) == 0:
		return m, &reply{400, nil, "no_text"}
	case utf8.RuneCountInString(b.Text) > 40_000:
		return m, &reply{400, nil, "msg_too_long"}
	case len(b.Blocks) > 50 || !allFit(b.Blocks):
		return m, &reply{400, nil, "invalid_blocks"}
	}
	return m, nil
}

// slackText returns the header, and the other blocks as lines.
func slackText(blocks []slackBlock) (title, text string) {
	lines := []string{}
	for _, block := range blocks {
		if block.Type == "header" {
			title = block.Text.Text
			continue
		}
		lines = append(lines, block.Text.Text)
	}
	return title, strings.Join(lines, "\n")
}

func allFit(blocks []slackBlock) bool {
	for _, block := range blocks {
		most := map[string]int{"header/plain_text": 150, "section/mrkdwn": 3000, "section/plain_text": 3000}[block.Type+"/"+block.Text.Type]
		if n := utf8.RuneCountInString(block.Text.Text); n == 0 || n > most {
			return false
		}
	}
	return true
}
