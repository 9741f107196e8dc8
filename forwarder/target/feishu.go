package target

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// feishu is the custom bot of Feishu's and Lark's groups. It shows cards in
// CommonMark with tags of its own; its manual escapes both by HTML entities.
func feishu() Kind {
	limit := Limit{
		Rates:   []Rate{{Messages: 5, Window: time.Second}, {Messages: 100, Window: time.Minute}},
		Silence: time.Minute, MaxSize: 19_000, Unit: Bytes,
	}
	return Kind{
		Name: "feishu", Title: "Feishu or Lark bot", Limit: limit, Signs: true, Keywords: true,
		Markup: func(bool) Markup { return feishuMarkup{} },
		New: func(o Options) (Target, error) {
			return newRobot(o, limit.MaxSize, func(u *url.URL) service {
				return feishuBot{url: u, secret: o.Secret.Reveal(), keyword: o.Keyword, silence: limit.Silence}
			})
		},
	}
}

type feishuBot struct {
	url             *url.URL
	secret, keyword string
	silence         time.Duration
}

type feishuBody struct {
	Timestamp string      `json:"timestamp,omitempty"` // seconds
	Sign      string      `json:"sign,omitempty"`
	MsgType   string      `json:"msg_type"`
	Card      *feishuCard `json:"card,omitempty"`
	Content   *feishuText `json:"content,omitempty"`
}

type feishuText struct {
	Text string `json:"text"`
}

type feishuCard struct {
	Schema string         `json:"schema"`
	Config map[string]any `json:"config"`
	Header feishuHeader   `json:"header"`
	Body   feishuElements `json:"body"`
}

type feishuHeader struct {
	Title    feishuElement `json:"title"`
	Template string        `json:"template"`
}

type feishuElements struct {
	Elements []feishuElement `json:"elements"`
}

type feishuElement struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

func (b feishuBot) encode(m Message, t text, now time.Time) request {
	body := feishuBody{}
	if b.secret != "" {
		body.Timestamp = strconv.FormatInt(now.Unix(), 10)
		body.Sign = feishuSign(body.Timestamp, b.secret)
	}
	title := unlinked(oneLine(m.Title))
	title = joinWords(missing(b.keyword, title, t.lines), title)
	if t.plain {
		mention := mentions(m.Mention, `<at user_id="all"></at>`, `<at user_id="`, `"></at>`)
		body.MsgType, body.Content = "text", &feishuText{joinLines("\n", plainLines(title), plainLines(t.lines), mention)}
	} else {
		body.MsgType, body.Card = "interactive", feishuCardOf(title, joinLines("\n\n", hardBreaks(t.lines), feishuMarkup{}.mention(m.Mention)))
	}
	data := toJSON(body)
	return request{url: b.url, body: data, size: len(data)}
}

func feishuCardOf(title, markdown string) *feishuCard {
	return &feishuCard{
		Schema: "2.0", Config: map[string]any{"update_multi": true},
		Header: feishuHeader{Title: feishuElement{"plain_text", title}, Template: "blue"},
		Body:   feishuElements{[]feishuElement{{"markdown", markdown}}},
	}
}

// feishuSign signs nothing with a key made of the time and the secret.
func feishuSign(seconds, secret string) string {
	mac := hmac.New(sha256.New, []byte(seconds+"\n"+secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (b feishuBot) judge(a answer) verdict {
	var said struct {
		Code  *number `json:"code"`
		Old   *number `json:"StatusCode"` // bots of the first kind
		Words string  `json:"msg"`
	}
	err := json.Unmarshal(a.body, &said)
	if said.Code == nil {
		said.Code = said.Old
	}
	switch {
	case err == nil && said.Code != nil && *said.Code == 9499 && strings.Contains(strings.ToLower(said.Words), "too many"):
		return a.refused(meaning{class: RateLimited}, "refused with code 9499", said.Words, b.silence)
	case err == nil && said.Code != nil && (a.status == 200 || *said.Code != 0):
		return a.verdictOf(coded{int(*said.Code), said.Words}, feishuCodes(), b.silence)
	case a.status != 200:
		return a.verdictOfStatus(string(a.body), b.silence)
	}
	return a.unreadable()
}

func feishuCodes() map[int]meaning {
	return map[int]meaning{
		9499:   {class: ClientError},
		11232:  {class: RateLimited},
		11233:  {class: RateLimited},
		19001:  {class: Gone, fix: "the bot is gone or the address is not whole; copy its webhook again"},
		19002:  {class: ClientError},
		19007:  {class: Gone, fix: "switch the bot on again in the group's settings"},
		19021:  {class: AuthError, fix: "check the bot's signing secret, and this machine's clock (an hour off is refused)"},
		19022:  {class: AuthError, fix: "add this machine's address to the bot's list of allowed IP addresses"},
		19024:  {class: AuthError, fix: "set keyword to the one of the bot's security settings"},
		19036:  {class: ClientError, large: true},
		230099: {class: ClientError, large: true},
		11310:  {class: ClientError, large: true},
	}
}

type feishuMarkup struct{}

func (feishuMarkup) Text(s string) string {
	line := unlinked(oneLine(s))
	var b strings.Builder
	for i, r := range line {
		numbered := r == '.' && i > 0 && strings.Trim(line[:i], "0123456789") == "" // a list's number
		if numbered || r < 0x80 && strings.ContainsRune("\\`*_~[]()<>#|&!{}:+-=$\"'/^", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (feishuMarkup) Bold(escaped string) string { return strong("**", escaped) }
func (feishuMarkup) Line(escaped string) string { return "- " + escaped }

func (feishuMarkup) Color(escaped, tone string) string {
	color := map[string]string{"good": "green", "bad": "red", "muted": "grey"}[tone]
	if color == "" || escaped == "" {
		return escaped
	}
	return "<font color='" + color + "'>" + escaped + "</font>"
}

func (feishuMarkup) mention(users []string) string {
	return mentions(users, "<at id=all></at>", "<at id=", "></at>")
}
