package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func dingTalk() service {
	return service{
		name: "dingtalk", secret: "SECsimulated-dingtalk", route: "POST /robot/send",
		path:  func(name string) string { return "/robot/send?access_token=" + name },
		token: func(r *http.Request) string { return r.URL.Query().Get("access_token") },
		rates: []rate{{20, time.Minute}}, block: 10 * time.Minute,
		read:    readDingTalk,
		ok:      inJSON(200, `{"errcode":0,"errmsg":"ok"}`),
		unknown: inJSON(200, `{"errcode":300005,"errmsg":"token is not exist"}`),
		faults: map[FaultKind]reply{
			Throttle: inJSON(200, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`),
			Refuse:   inJSON(200, `{"errcode":310000,"errmsg":"description:invalid timestamp;solution:use the current time in ms;link:https://open.dingtalk.com/document/robots/customize-robot-security-settings"}`),
			Gone:     inJSON(200, `{"errcode":400102,"errmsg":"robot disabled"}`),
			Break:    inJSON(200, `{"errcode":"-1","errmsg":"system busy"}`),
			TooLarge: inJSON(200, `{"errcode":460101,"errmsg":"message too long"}`),
		},
	}
}

// dingTalkBody is what is read of a message.
type dingTalkBody struct {
	MsgType  string `json:"msgtype"`
	Markdown struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown"`
	Text struct {
		Content string `json:"content"`
	} `json:"text"`
	At struct {
		UserIDs []string `json:"atUserIds"`
		Mobiles []string `json:"atMobiles"`
		All     bool     `json:"isAtAll"`
	} `json:"at"`
	MsgUUID string `json:"msgUuid"`
}

func readDingTalk(in incoming) (Message, *reply) {
	var b dingTalkBody
	if err := json.Unmarshal(in.body, &b); err != nil {
		return Message{}, dingTalkError(43004, "invalid content type")
	}
	m := Message{ID: b.MsgUUID, Form: b.MsgType, Title: b.Markdown.Title, Text: b.Markdown.Text, Mentions: append(b.At.Mobiles, b.At.UserIDs...)}
	if b.MsgType == "text" {
		m.Text = b.Text.Content
	}
	if b.At.All {
		m.Mentions = append(m.Mentions, "all")
	}
	switch {
	case !dingTalkSigned(in):
		return m, dingTalkError(310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")
	case !strings.Contains(m.Title+m.Text, in.robot.Keyword):
		return m, dingTalkError(310000, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")
	case len(in.body) > 20_000:
		return m, dingTalkError(460101, "message too long")
	case b.MsgType != "markdown" && b.MsgType != "text":
		return m, dingTalkError(400105, "unsupported msgtype")
	case m.Text == "" || b.MsgType == "markdown" && m.Title == "":
		return m, dingTalkError(40035, "param error")
	}
	return m, nil
}

// dingTalkSigned reports whether the address is signed, within the last hour.
func dingTalkSigned(in incoming) bool {
	if in.robot.Secret == "" {
		return true
	}
	query := in.request.URL.Query()
	ms, err := strconv.ParseInt(query.Get("timestamp"), 10, 64)
	if err != nil || in.at.Sub(time.UnixMilli(ms)).Abs() > time.Hour || len(query["sign"]) != 1 {
		return false
	}
	want := sign(in.robot.Secret, query.Get("timestamp")+"\n"+in.robot.Secret)
	return hmac.Equal([]byte(want), []byte(query.Get("sign")))
}

func sign(key, message string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func dingTalkError(code int, words string) *reply {
	r := inJSON(200, `{"errcode":`+strconv.Itoa(code)+`,"errmsg":`+strconv.Quote(words)+`}`)
	return &r
}
