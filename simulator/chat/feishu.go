package chat

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func feishu() service {
	const hook = "/open-apis/bot/v2/hook/"
	return service{
		name: "feishu", secret: "simulated-feishu", route: "POST " + hook + "{token}",
		path:    func(name string) string { return hook + name },
		token:   func(r *http.Request) string { return r.PathValue("token") },
		rates:   []rate{{5, time.Second}, {100, time.Minute}},
		read:    readFeishu,
		ok:      inJSON(200, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`),
		unknown: *feishuError(19001, "param invalid: incoming webhook access token invalid"),
		faults: map[FaultKind]reply{
			Throttle: *feishuError(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"),
			Refuse:   *feishuError(19022, "Ip Not Allowed"),
			Gone:     *feishuError(19007, "Bot Not Enabled"),
			TooLarge: *feishuError(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit"),
			Break:    inJSON(500, `{"code":1500,"msg":"internal error"}`),
		},
	}
}

// feishuBody is what is read of a message.
type feishuBody struct {
	Timestamp string `json:"timestamp"`
	Sign      string `json:"sign"`
	MsgType   string `json:"msg_type"`
	Content   struct {
		Text string `json:"text"`
	} `json:"content"`
	Card struct {
		Schema string `json:"schema"`
		Header struct {
			Title feishuElement `json:"title"`
		} `json:"header"`
		Body struct {
			Elements []feishuElement `json:"elements"`
		} `json:"body"`
	} `json:"card"`
}

type feishuElement struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

func readFeishu(in incoming) (Message, *reply) {
	var b feishuBody
	if err := json.Unmarshal(in.body, &b); err != nil {
		return Message{}, feishuError(9499, "Bad Request")
	}
	m := Message{Form: "text", Text: b.Content.Text}
	if b.MsgType == "interactive" {
		m.Form, m.Title, m.Text = "card", b.Card.Header.Title.Content, feishuText(b)
	}
	m.Mentions = tags(m.Text, "<at ", ">")
	switch {
	case !feishuSigned(in, b):
		return m, feishuError(19021, "sign match fail or timestamp is not within one hour from current time")
	case !strings.Contains(m.Title+m.Text, in.robot.Keyword):
		return m, feishuError(19024, "Key Words Not Found")
	case len(in.body) > 20<<10:
		return m, feishuError(19036, "message body too large")
	case b.MsgType == "interactive" && b.Card.Schema == "2.0" && m.Text != "", b.MsgType == "text" && m.Text != "":
		return m, nil
	}
	return m, feishuError(9499, "Bad Request")
}

// feishuText joins what the elements of a card say.
func feishuText(b feishuBody) string {
	lines := []string{}
	for _, e := range b.Card.Body.Elements {
		lines = append(lines, e.Content)
	}
	return strings.Join(lines, "\n")
}

// feishuSigned reports whether a message is signed, within the last hour.
func feishuSigned(in incoming, b feishuBody) bool {
	if in.robot.Secret == "" {
		return true
	}
	seconds, err := strconv.ParseInt(b.Timestamp, 10, 64)
	return err == nil && in.at.Sub(time.Unix(seconds, 0)).Abs() <= time.Hour &&
		b.Sign == sign(b.Timestamp+"\n"+in.robot.Secret, "")
}

func feishuError(code int, words string) *reply {
	r := inJSON(200, `{"code":`+strconv.Itoa(code)+`,"msg":`+strconv.Quote(words)+`,"data":{}}`)
	return &r
}

// tags returns what stands between two marks, wherever they do.
func tags(text, open, shut string) []string {
	var found []string
	for {
		_, rest, is := strings.Cut(text, open)
		if !is {
			return found
		}
		inside, after, is := strings.Cut(rest, shut)
		if !is {
			return found
		}
		found, text = append(found, inside), after
	}
}
