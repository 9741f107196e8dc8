package chat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

func weCom() service {
	return service{
		name: "wecom", route: "POST /cgi-bin/webhook/send",
		path:    func(name string) string { return "/cgi-bin/webhook/send?key=" + name },
		token:   func(r *http.Request) string { return r.URL.Query().Get("key") },
		rates:   []rate{{20, time.Minute}},
		read:    readWeCom,
		ok:      inJSON(200, `{"errcode":0,"errmsg":"ok"}`),
		unknown: *weComError(93000, "invalid webhook url"),
		faults: map[FaultKind]reply{
			Throttle: *weComError(45009, "api freq out of limit"),
			Refuse:   *weComError(93000, "invalid webhook url"),
			Gone:     *weComError(93008, "robot not in group"),
			TooLarge: *weComError(40058, "markdown.content exceed max length 4096. invalid Request Parameter"),
			Break:    *weComError(-1, "system busy"),
		},
	}
}

type weComText struct {
	Content   string   `json:"content"`
	Mentioned []string `json:"mentioned_list"`
}

func readWeCom(in incoming) (Message, *reply) {
	var b struct {
		MsgType    string    `json:"msgtype"`
		Markdown   weComText `json:"markdown"`
		MarkdownV2 weComText `json:"markdown_v2"`
		Text       weComText `json:"text"`
	}
	if err := json.Unmarshal(in.body, &b); err != nil {
		return Message{}, weComError(40058, "invalid Request Parameter")
	}
	form, known := map[string]struct {
		text weComText
		most int
	}{"markdown": {b.Markdown, 4096}, "markdown_v2": {b.MarkdownV2, 4096}, "text": {b.Text, 2048}}[b.MsgType]
	m := Message{Form: b.MsgType, Text: form.text.Content, Mentions: form.text.Mentioned}
	if b.MsgType == "markdown" { // the other forms show a mention as text
		m.Mentions = tags(m.Text, "<@", ">")
	}
	switch {
	case !known:
		return m, weComError(40008, "invalid message type")
	case m.Text == "":
		return m, weComError(44004, "empty content")
	case len(m.Text) > form.most:
		return m, weComError(40058, fmt.Sprintf("%s.content exceed max length %d. invalid Request Parameter", b.MsgType, form.most))
	}
	return m, nil
}

// weComError writes an error with the hint that WeCom adds, address and all.
func weComError(code int, words string) *reply {
	r := inJSON(200, fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, code, words+", hint: [1700000000000000000], from ip: 192.0.2.7, more info at "+
		"https://open.work.weixin.qq.com/devtool/query?e="+strconv.Itoa(code)))
	return &r
}
