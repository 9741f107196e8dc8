package target

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// slack is Slack's incoming webhook. Its mrkdwn escapes & < > alone; the signs
// of its styles are written full-width.
func slack() Kind {
	limit := Limit{
		Rates:   []Rate{{Messages: 1, Window: time.Second}},
		Silence: time.Minute, MaxSize: slackRunes, Unit: Runes,
	}
	return Kind{
		Name: "slack", Title: "Slack webhook", Limit: limit,
		Markup: func(bool) Markup { return slackMarkup{} },
		New: func(o Options) (Target, error) {
			return newRobot(o, limit.MaxSize, func(u *url.URL) service {
				return slackHook{url: u, silence: limit.Silence}
			})
		},
	}
}

const (
	slackSection = 3000 // runes of one section's text
	slackTitle   = 150  // runes of a header
	// slackRunes keeps a message far from 50 blocks: of two neighbouring
	// sections of whole lines one is at least half full.
	slackRunes = 12_000
)

type slackHook struct {
	url     *url.URL
	silence time.Duration
}

type slackBody struct {
	Text        string       `json:"text"`
	Mrkdwn      bool         `json:"mrkdwn"`
	Blocks      []slackBlock `json:"blocks,omitempty"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim,omitempty"` // Slack makes no links of its own
}

func (h slackHook) encode(m Message, t text, _ time.Time) request {
	title, mention := unlinked(oneLine(m.Title)), slackMarkup{}.mention(m.Mention)
	body := slackBody{Text: joinWords(slackMarkup{}.Text(title), mention)}
	size := 0
	if t.plain {
		body.Text = joinLines("\n", body.Text, plainLines(t.lines))
		size = utf8.RuneCountInString(body.Text)
	} else {
		lines := joinLines("\n", t.lines, mention)
		body.Blocks, size = slackBlocks(title, lines)
	}
	return request{url: h.url, body: toJSON(body), size: size}
}

// slackBlocks writes a header and sections of whole lines. A line that is
// larger than a section makes the size one that never fits.
func slackBlocks(title, lines string) (blocks []slackBlock, size int) {
	if title != "" {
		header := cutRunes(title, func(s string) bool { return utf8.RuneCountInString(s) <= slackTitle })
		blocks = append(blocks, slackBlock{"header", slackText{Type: "plain_text", Text: header}})
	}
	section, runes := []string{}, 0
	flush := func() {
		if text := strings.Join(section, "\n"); strings.TrimSpace(text) != "" {
			blocks = append(blocks, slackBlock{"section", slackText{"mrkdwn", text, true}})
		}
		section, runes = nil, 0
	}
	for line := range strings.SplitSeq(lines, "\n") {
		n := utf8.RuneCountInString(line) + 1
		if runes+n > slackSection {
			flush()
		}
		if n > slackSection {
			return blocks, slackRunes + 1
		}
		section, runes, size = append(section, line), runes+n, size+n
	}
	flush()
	return blocks, size
}

func (h slackHook) judge(a answer) verdict {
	words := strings.TrimSpace(string(a.body))
	if a.status == 200 && words == "ok" {
		return verdict{}
	}
	if m, known := slackWords()[words]; known {
		return a.refused(m, "refused", words, h.silence)
	}
	if a.status == 200 {
		return a.unreadable()
	}
	return a.verdictOfStatus(words, h.silence)
}

func slackWords() map[string]meaning {
	const remake = "add the app to the channel again and configure the new webhook"
	return map[string]meaning{
		"invalid_payload":                   {class: ClientError},
		"invalid_blocks":                    {class: ClientError},
		"no_text":                           {class: ClientError},
		"too_many_attachments":              {class: ClientError},
		"msg_too_long":                      {class: ClientError, large: true},
		"msg_blocks_too_long":               {class: ClientError, large: true},
		"invalid_token":                     {class: AuthError, fix: remake},
		"action_prohibited":                 {class: AuthError, fix: "an administrator of the workspace has forbidden this; ask them"},
		"posting_to_general_channel_denied": {class: AuthError, fix: "choose another channel, or ask an administrator"},
		"no_service":                        {class: Gone, fix: remake},
		"no_service_id":                     {class: Gone, fix: remake},
		"no_active_hooks":                   {class: Gone, fix: remake},
		"no_team":                           {class: Gone, fix: remake},
		"team_disabled":                     {class: Gone, fix: remake},
		"user_not_found":                    {class: Gone, fix: remake},
		"channel_not_found":                 {class: Gone, fix: remake},
		"channel_is_archived":               {class: Gone, fix: "unarchive the channel, or configure another one's webhook"},
		"rate_limited":                      {class: RateLimited},
		"rollup_error":                      {class: ServerError},
	}
}

type slackMarkup struct{}

func (slackMarkup) Text(s string) string {
	line := wide(unlinked(oneLine(s)), "*_~`")
	if rest, quote := strings.CutPrefix(line, ">"); quote {
		line = "＞" + rest
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(withoutEmojiNames(line))
}

// withoutEmojiNames breaks :names: of which Slack would make pictures.
func withoutEmojiNames(line string) string {
	var b strings.Builder
	for i, r := range line {
		b.WriteRune(r)
		if r != ':' {
			continue
		}
		name := strings.IndexFunc(line[i+1:], func(r rune) bool { return !wordy(r) && !strings.ContainsRune("_+-'", r) })
		if name > 0 && line[i+1+name] == ':' {
			b.WriteString(brk)
		}
	}
	return b.String()
}

func (slackMarkup) Bold(escaped string) string     { return strong("*", escaped) }
func (slackMarkup) Line(escaped string) string     { return "• " + escaped }
func (slackMarkup) Color(escaped, _ string) string { return escaped }

func (slackMarkup) mention(users []string) string {
	named := []string{}
	for _, user := range users {
		switch id := idOf(user); {
		case user == "all":
			named = append(named, "<!channel>")
		case user == "here":
			named = append(named, "<!here>")
		case strings.HasPrefix(id, "S"):
			named = append(named, "<!subteam^"+id+">")
		case id != "":
			named = append(named, "<@"+id+">")
		}
	}
	return strings.Join(named, " ")
}
