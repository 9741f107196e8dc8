package target

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// weCom is WeCom's robot of a group. Its markdown knows colours and mentions,
// and no lists; its markdown_v2 the reverse. Neither has an escape that can be
// relied on: what is special is written full-width.
func weCom() Kind {
	limit := Limit{
		Rates:   []Rate{{Messages: 20, Window: time.Minute}},
		Silence: time.Minute, MaxSize: 4096, Unit: Bytes, // of the text alone
	}
	return Kind{
		Name: "wecom", Title: "WeCom robot", Limit: limit,
		Markup: func(digest bool) Markup { return weComMarkup{digest} },
		New: func(o Options) (Target, error) {
			if !o.Address.Empty() && o.Address.reveal().Query().Get("key") == "" {
				return nil, errors.New("the address has no key; copy the robot's webhook whole")
			}
			return newRobot(o, limit.MaxSize, func(u *url.URL) service {
				return weComRobot{url: u, silence: limit.Silence}
			})
		},
	}
}

type weComRobot struct {
	url     *url.URL
	silence time.Duration
}

type weComBody struct {
	MsgType    string      `json:"msgtype"`
	Markdown   *weComText  `json:"markdown,omitempty"`
	MarkdownV2 *weComText  `json:"markdown_v2,omitempty"`
	Text       *weComPlain `json:"text,omitempty"`
}

type weComText struct {
	Content string `json:"content"`
}

type weComPlain struct {
	Content   string   `json:"content"`
	Mentioned []string `json:"mentioned_list,omitempty"`
}

// encode writes a digest that mentions somebody in the older markdown: lists
// read well enough there, while the newer would show the mention as text.
func (r weComRobot) encode(m Message, t text, _ time.Time) request {
	markup := weComMarkup{}
	weight := 1
	content := joinLines("\n", heading("### ", markup.Text(m.Title)), brokenLines(t.lines, "\n"), markup.mention(m.Mention))
	body := weComBody{MsgType: "markdown"}
	switch {
	case t.plain:
		content = joinLines("\n", unlinked(oneLine(m.Title)), plainLines(t.lines))
		weight = 2 // a text may be half as large
		body.MsgType, body.Text = "text", &weComPlain{content, weComUsers(m.Mention)}
	case m.Digest && len(m.Mention) == 0:
		body.MsgType, body.MarkdownV2 = "markdown_v2", &weComText{content}
	default:
		body.Markdown = &weComText{content}
	}
	return request{url: r.url, body: toJSON(body), size: weight * len(content)}
}

func weComUsers(users []string) []string {
	var listed []string
	for _, user := range users {
		if user == "all" {
			user = "@all"
		}
		listed = append(listed, user)
	}
	return listed
}

func (r weComRobot) judge(a answer) verdict {
	if a.status != 200 {
		return a.verdictOfStatus(string(a.body), r.silence)
	}
	var said struct {
		Code  *number `json:"errcode"`
		Words string  `json:"errmsg"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || said.Code == nil {
		return a.unreadable()
	}
	v := a.verdictOf(coded{int(*said.Code), said.Words}, weComCodes(), r.silence)
	v.large = v.large || v.Class == ClientError && strings.Contains(said.Words, "exceed max length")
	return v
}

func weComCodes() map[int]meaning {
	return map[int]meaning{
		-1:    {class: ServerError},
		45009: {class: RateLimited},
		45033: {class: RateLimited},
		93000: {class: AuthError, fix: "copy the robot's webhook again, whole, with its key"},
		93004: {class: Gone, fix: "the robot was removed; add one and configure its webhook"},
		93008: {class: Gone, fix: "the robot is no longer in the group"},
		45002: {class: ClientError, large: true},
		40058: {class: ClientError},
		40008: {class: ClientError},
		44004: {class: ClientError},
	}
}

// weComMarkup is the older markdown, or for digests markdown_v2. The escaping
// is that of both, so that a text can go into either.
type weComMarkup struct{ digest bool }

func (weComMarkup) Text(s string) string {
	return begun(wide(unlinked(oneLine(s)), "\\`*_~[]<>#|&!{}"))
}
func (weComMarkup) Bold(escaped string) string { return strong("**", escaped) }

func (m weComMarkup) Line(escaped string) string {
	if m.digest {
		return "- " + escaped
	}
	return "> " + escaped
}

func (m weComMarkup) Color(escaped, tone string) string {
	color := map[string]string{"good": "info", "bad": "warning", "muted": "comment"}[tone]
	if m.digest || color == "" || escaped == "" {
		return escaped
	}
	return `<font color="` + color + `">` + escaped + "</font>"
}

func (m weComMarkup) mention(users []string) string {
	if m.digest {
		return ""
	}
	return mentions(users, "<@all>", "<@", ">")
}
