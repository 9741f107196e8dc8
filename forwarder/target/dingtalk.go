package target

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// dingTalk is DingTalk's custom robot of a group. Its markdown is a small part of
// the usual one, with no escape: what is special is written full-width.
func dingTalk() Kind {
	limit := Limit{
		Rates:   []Rate{{Messages: 20, Window: time.Minute}},
		Silence: 10 * time.Minute, MaxSize: 20_000, Unit: Bytes,
	}
	return Kind{
		Name: "dingtalk", Title: "DingTalk robot", Limit: limit, Idempotent: true, Signs: true, Keywords: true,
		Markup: func(bool) Markup { return dingTalkMarkup{} },
		New: func(o Options) (Target, error) {
			if !o.Address.Empty() && o.Address.reveal().Query().Get("access_token") == "" {
				return nil, errors.New("the address has no access_token; copy the robot's webhook whole")
			}
			return newRobot(o, limit.MaxSize, func(u *url.URL) service {
				return dingTalkRobot{url: u, secret: o.Secret.Reveal(), keyword: o.Keyword, silence: limit.Silence}
			})
		},
	}
}

type dingTalkRobot struct {
	url             *url.URL
	secret, keyword string
	silence         time.Duration
}

type dingTalkBody struct {
	MsgType  string            `json:"msgtype"`
	Markdown *dingTalkMarkdown `json:"markdown,omitempty"`
	Text     *dingTalkText     `json:"text,omitempty"`
	At       dingTalkAt        `json:"at"`
	MsgUUID  string            `json:"msgUuid,omitempty"`
}

type dingTalkMarkdown struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

type dingTalkText struct {
	Content string `json:"content"`
}

type dingTalkAt struct {
	UserIDs []string `json:"atUserIds,omitempty"`
	Mobiles []string `json:"atMobiles,omitempty"`
	All     bool     `json:"isAtAll"`
}

func (r dingTalkRobot) encode(m Message, t text, now time.Time) request {
	markup := dingTalkMarkup{}
	title := unlinked(oneLine(m.Title))
	keyword := missing(r.keyword, title, t.lines)
	body := dingTalkBody{MsgType: "markdown", At: dingTalkMentions(m.Mention), MsgUUID: m.ID}
	if t.plain {
		body.MsgType = "text"
		body.Text = &dingTalkText{joinLines("\n", joinWords(keyword, title), plainLines(t.lines), markup.mention(m.Mention))}
	} else {
		body.Markdown = &dingTalkMarkdown{
			Title: cmp.Or(joinWords(keyword, title), "Rollcall"),
			Text:  joinLines("\n\n", heading("### ", keyword, markup.Text(title)), hardBreaks(t.lines), markup.mention(m.Mention)),
		}
	}
	data := toJSON(body)
	return request{url: r.signed(now), body: data, size: len(data)}
}

// signed returns the address with the signature of that moment.
func (r dingTalkRobot) signed(now time.Time) *url.URL {
	u, query := *r.url, r.url.Query()
	query.Del("timestamp")
	query.Del("sign")
	if r.secret != "" {
		ms := strconv.FormatInt(now.UnixMilli(), 10)
		query.Set("timestamp", ms)
		query.Set("sign", dingTalkSign(ms, r.secret))
	}
	u.RawQuery = query.Encode()
	return &u
}

func dingTalkSign(ms, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ms + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// dingTalkMentions addresses those who are mentioned. A number of eleven digits
// may be a mobile's or a user's id, so it is sent as both.
func dingTalkMentions(users []string) dingTalkAt {
	var at dingTalkAt
	for _, user := range users {
		if user == "all" {
			at.All = true
			continue
		}
		if len(user) == 11 && strings.Trim(user, "0123456789") == "" {
			at.Mobiles = append(at.Mobiles, user)
		}
		at.UserIDs = append(at.UserIDs, idOf(user))
	}
	return at
}

func (r dingTalkRobot) judge(a answer) verdict {
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
	return a.verdictOf(coded{int(*said.Code), said.Words}, dingTalkCodes(), r.silence)
}

func dingTalkCodes() map[int]meaning {
	const (
		remake   = "make the robot anew and configure its webhook"
		security = "check the robot's security settings: the secret (SEC…), the keyword, the allowed IP addresses, and this machine's clock"
	)
	return map[int]meaning{
		-1:     {class: ServerError},
		130101: {class: RateLimited},
		410100: {class: RateLimited},
		90030:  {class: RateLimited, fix: "the organization has used up what its robots may send"},
		310000: {class: AuthError, fix: security},
		300005: {class: AuthError, fix: "check the access_token in the address"},
		400101: {class: Gone, fix: remake},
		400102: {class: Gone, fix: "switch the robot on again in the group's settings"},
		400106: {class: Gone, fix: remake},
		400013: {class: Gone, fix: "the group was dissolved"},
		101002: {class: ClientError, large: true},
		460101: {class: ClientError, large: true},
		40035:  {class: ClientError},
		43004:  {class: ClientError},
		400105: {class: ClientError},
		430101: {class: ClientError},
		430102: {class: ClientError},
		430103: {class: ClientError},
		430104: {class: ClientError},
	}
}

type dingTalkMarkup struct{}

func (dingTalkMarkup) Text(s string) string {
	return begun(wide(unlinked(oneLine(s)), "\\`*_~[]<>#|&!{}"))
}

func (dingTalkMarkup) Bold(escaped string) string     { return strong("**", escaped) }
func (dingTalkMarkup) Line(escaped string) string     { return "- " + escaped }
func (dingTalkMarkup) Color(escaped, _ string) string { return escaped }

// mention needs the names in the text beside the field that notifies.
func (dingTalkMarkup) mention(users []string) string { return mentions(users, "@all", "@", "") }
