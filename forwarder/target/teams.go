package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// teams is a Workflow of Microsoft Teams that posts an adaptive card. The card's
// markdown is written differently by each client: what is special is full-width,
// and every line is a block of its own.
func teams() Kind {
	limit := Limit{
		Rates:   []Rate{{Messages: 4, Window: time.Second}, {Messages: 60, Window: time.Minute}},
		Silence: time.Minute, MaxSize: 28_000, Unit: Bytes,
	}
	return Kind{
		Name: "teams", Title: "Microsoft Teams workflow", Limit: limit,
		Markup: func(bool) Markup { return teamsMarkup{} },
		New: func(o Options) (Target, error) {
			if !o.Address.Empty() && retiredConnector(o.Address.reveal().Hostname()) {
				return nil, errors.New("this is an Office 365 connector, which Microsoft has switched off; in the channel's Workflows choose " +
					`"Send webhook alerts to a channel" and configure its address`)
			}
			return newRobot(o, limit.MaxSize, func(u *url.URL) service {
				return teamsFlow{url: u, silence: limit.Silence}
			})
		},
	}
}

func retiredConnector(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "outlook.office.com" || host == "outlook.office365.com" ||
		host == "webhook.office.com" || strings.HasSuffix(host, ".webhook.office.com")
}

type teamsFlow struct {
	url     *url.URL
	silence time.Duration
}

type teamsBody struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string       `json:"$schema"`
	Type    string       `json:"type"`
	Version string       `json:"version"`
	Body    []teamsBlock `json:"body"`
	Teams   teamsExtras  `json:"msteams"`
}

type teamsExtras struct {
	Width    string         `json:"width"`
	Entities []teamsMention `json:"entities,omitempty"`
}

type teamsMention struct {
	Type      string    `json:"type"`
	Text      string    `json:"text"`
	Mentioned teamsUser `json:"mentioned"`
}

type teamsUser struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// teamsBlock is a TextBlock, or a RichTextBlock with one run of text, which no
// client takes for markdown.
type teamsBlock struct {
	Type    string     `json:"type"`
	Text    string     `json:"text,omitempty"`
	Wrap    bool       `json:"wrap,omitempty"`
	Weight  string     `json:"weight,omitempty"`
	Size    string     `json:"size,omitempty"`
	Spacing string     `json:"spacing,omitempty"`
	Inlines []teamsRun `json:"inlines,omitempty"`
}

type teamsRun struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (f teamsFlow) encode(m Message, t text, _ time.Time) request {
	blocks := []teamsBlock{}
	if title := (teamsMarkup{}).Text(m.Title); title != "" {
		blocks = append(blocks, teamsBlock{Type: "TextBlock", Text: title, Wrap: true, Weight: "Bolder", Size: "Medium"})
	}
	blocks = append(blocks, teamsLines(t)...)
	mention, entities := teamsMentions(m.Mention)
	if mention != "" {
		blocks = append(blocks, teamsBlock{Type: "TextBlock", Text: mention, Wrap: true})
	}
	data := toJSON(teamsBody{"message", []teamsAttachment{{"application/vnd.microsoft.card.adaptive", nil, teamsCard{
		"http://adaptivecards.io/schemas/adaptive-card.json", "AdaptiveCard", "1.2", blocks, teamsExtras{"full", entities},
	}}}})
	return request{url: f.url, body: data, size: len(data)}
}

// teamsLines makes a block of each line.
func teamsLines(t text) []teamsBlock {
	blocks := []teamsBlock{}
	for line := range strings.SplitSeq(t.lines, "\n") {
		switch {
		case strings.TrimSpace(line) == "":
		case t.plain:
			blocks = append(blocks, teamsBlock{Type: "RichTextBlock", Spacing: "Small", Inlines: []teamsRun{{"TextRun", plainLines(line)}}})
		default:
			blocks = append(blocks, teamsBlock{Type: "TextBlock", Text: line, Wrap: true, Spacing: "Small"})
		}
	}
	return blocks
}

// teamsMentions names users by their address or object id; Teams has nothing
// with which a workflow could mention all.
func teamsMentions(users []string) (string, []teamsMention) {
	text, entities := []string{}, []teamsMention{}
	for _, user := range users {
		id := idOf(user)
		if user == "all" || id == "" {
			continue
		}
		name, _, _ := strings.Cut(id, "@")
		tag := "<at>" + name + "</at>"
		text, entities = append(text, tag), append(entities, teamsMention{"mention", tag, teamsUser{id, name}})
	}
	return strings.Join(text, " "), entities
}

func (f teamsFlow) judge(a answer) verdict {
	if a.status >= 200 && a.status < 300 {
		return verdict{Outcome: Outcome{Queued: a.status == http.StatusAccepted}}
	}
	var said struct {
		Error struct {
			Code  string `json:"code"`
			Words string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(a.body, &said) // a body without a code leaves the status to say it
	if m, known := teamsCodes()[said.Error.Code]; known {
		return a.refused(m, fmt.Sprintf("refused (%s)", said.Error.Code), said.Error.Words, f.silence)
	}
	return a.verdictOfStatus(said.Error.Words, f.silence)
}

func teamsCodes() map[string]meaning {
	const remake = "make a workflow anew and configure its address"
	return map[string]meaning{
		"TriggerInputSchemaMismatch":          {class: ClientError},
		"InvalidRequestContent":               {class: ClientError},
		"RequestEntityTooLarge":               {class: ClientError, large: true},
		"DirectApiAuthorizationRequired":      {class: AuthError, fix: "copy the workflow's address whole, with its sig"},
		"DirectApiInvalidAuthorizationScheme": {class: AuthError, fix: "let anyone trigger the workflow, and copy its address whole"},
		"AuthorizationFailed":                 {class: AuthError, fix: "copy the workflow's address whole, with its sig"},
		"WorkflowNotFound":                    {class: Gone, fix: remake},
		"WorkflowTriggerNotFound":             {class: Gone, fix: remake},
		"WorkflowTriggerIsNotEnabled":         {class: Gone, fix: "switch the workflow on again"},
		"FlowDisabled":                        {class: Gone, fix: "switch the workflow on again"},
	}
}

type teamsMarkup struct{}

func (teamsMarkup) Text(s string) string {
	return begun(wide(unlinked(oneLine(s)), "\\`*_~[]<>#|&!{}"))
}

func (teamsMarkup) Bold(escaped string) string     { return strong("**", escaped) }
func (teamsMarkup) Line(escaped string) string     { return "- " + escaped }
func (teamsMarkup) Color(escaped, _ string) string { return escaped }
