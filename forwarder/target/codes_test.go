package target

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// said is an answer of a service, as it was seen or as its manual has it.
type said struct {
	status int
	header map[string]string
	body   string
	want   Outcome // without Detail and Requests
	large  bool
}

const (
	ten = 10 * time.Minute
	one = time.Minute
)

func answers() map[string][]said {
	rate := func(pause time.Duration) Outcome { return Outcome{Class: RateLimited, Pause: pause} }
	auth, gone, server := Outcome{Class: AuthError}, Outcome{Class: Gone}, Outcome{Class: ServerError}
	client := Outcome{Class: ClientError, Final: true}
	unclear := Outcome{Class: ServerError, Unsure: true}
	retry := func(seconds string) map[string]string { return map[string]string{"Retry-After": seconds} }
	return map[string][]said{
		"dingtalk": {
			{200, nil, `{"errcode":0,"errmsg":"ok"}`, Outcome{}, false},
			{200, nil, `{"errcode":"0","errmsg":"ok"}`, Outcome{}, false},
			{200, nil, `{"errcode":-1,"errmsg":"system busy"}`, server, false},
			{200, nil, `{"errcode":"-1","errmsg":"系统繁忙"}`, server, false},
			{200, nil, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, rate(ten), false},
			{200, nil, `{"errcode":"410100","errmsg":"发送速度太快而限流"}`, rate(ten), false},
			{200, nil, `{"errcode":90030,"errmsg":"over the limit of the webhook"}`, rate(ten), false},
			{200, nil, `{"errcode":310000,"errmsg":"keywords not in content, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"}`, auth, false},
			{200, nil, `{"errcode":300005,"errmsg":"token is not exist"}`, auth, false},
			{200, nil, `{"errcode":400101,"errmsg":"access_token不存在"}`, gone, false},
			{200, nil, `{"errcode":400102,"errmsg":"机器人已停用"}`, gone, false},
			{200, nil, `{"errcode":400106,"errmsg":"机器人不存在"}`, gone, false},
			{200, nil, `{"errcode":400013,"errmsg":"群已被解散"}`, gone, false},
			{200, nil, `{"errcode":460101,"errmsg":"message too long"}`, client, true},
			{200, nil, `{"errcode":101002,"errmsg":"message too long"}`, client, true},
			{200, nil, `{"errcode":40035,"errmsg":"缺少参数 json"}`, client, false},
			{200, nil, `{"errcode":123456,"errmsg":"what nobody has seen"}`, server, false},
			{200, nil, `{"errmsg":"ok"}`, unclear, false},
			{200, nil, `<html>`, unclear, false},
			{200, nil, ``, unclear, false},
			{200, nil, `{"errcode":null}`, unclear, false},
			{502, nil, `<html>`, unclear, false},
			{503, nil, ``, server, false},
			{429, retry("7"), ``, rate(7 * time.Second), false},
		},
		"feishu": {
			{200, nil, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, Outcome{}, false},
			{200, nil, `{"Extra":null,"StatusCode":0,"StatusMessage":"success"}`, Outcome{}, false},
			{200, nil, `{"code":11232,"msg":"frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}`, rate(one), false},
			{200, nil, `{"code":9499,"msg":"too many request","data":{}}`, rate(one), false},
			{200, nil, `{"code":9499,"msg":"Bad Request","data":{}}`, client, false},
			{400, nil, `{"code":9499,"msg":"Bad Request","data":{}}`, client, false},
			{200, nil, `{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}`, gone, false},
			{200, nil, `{"code":19007,"msg":"Bot Not Enabled"}`, gone, false},
			{200, nil, `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`, auth, false},
			{200, nil, `{"code":19022,"msg":"Ip Not Allowed"}`, auth, false},
			{200, nil, `{"code":19024,"msg":"Key Words Not Found"}`, auth, false},
			{200, nil, `{"code":19036,"msg":"too large"}`, client, true},
			{200, nil, `{"code":230099,"msg":"Failed to create card content"}`, client, true},
			{200, nil, `{"code":11310,"msg":"card table number over limit"}`, client, true},
			{200, nil, `{"msg":"success"}`, unclear, false},
			{200, nil, `<html>`, unclear, false},
			{400, nil, `{"code":0}`, client, false},
			{404, nil, ``, auth, false},
			{500, nil, ``, unclear, false},
		},
		"wecom": {
			{200, nil, `{"errcode":0,"errmsg":"ok"}`, Outcome{}, false},
			{200, nil, `{"errcode":45009,"errmsg":"api freq out of limit, hint: [1700000000000000000], from ip: 192.0.2.7"}`, rate(one), false},
			{200, nil, `{"errcode":93000,"errmsg":"invalid webhook url, hint: [1700000000000000000]"}`, auth, false},
			{200, nil, `{"errcode":93008,"errmsg":"robot not in group"}`, gone, false},
			{200, nil, `{"errcode":-1,"errmsg":"system busy"}`, server, false},
			{200, nil, `{"errcode":40058,"errmsg":"markdown.content exceed max length 4096. invalid Request Parameter, hint: [1]"}`, client, true},
			{200, nil, `{"errcode":40058,"errmsg":"invalid Request Parameter"}`, client, false},
			{200, nil, `{}`, unclear, false},
			{301, nil, ``, auth, false},
		},
		"slack": {
			{200, nil, `ok`, Outcome{}, false},
			{200, nil, `{"ok":true}`, unclear, false},
			{200, nil, ``, unclear, false},
			{400, nil, `invalid_payload`, client, false},
			{400, nil, `invalid_blocks`, client, false},
			{400, nil, `msg_too_long`, client, true},
			{403, nil, `action_prohibited`, auth, false},
			{403, nil, `invalid_token`, auth, false},
			{404, nil, `no_service`, gone, false},
			{404, nil, `channel_not_found`, gone, false},
			{410, nil, `channel_is_archived`, gone, false},
			{429, retry("30"), ``, rate(30 * time.Second), false},
			{429, retry("30"), `rate_limited`, rate(30 * time.Second), false},
			{429, nil, ``, rate(one), false},
			{429, retry("Mon, 03 Aug 2026 10:00:20 GMT"), ``, rate(20 * time.Second), false},
			{429, retry("999999999"), ``, rate(24 * time.Hour), false},
			{429, retry("-1"), ``, rate(one), false},
			{500, nil, `rollup_error`, server, false},
		},
		"teams": {
			{202, nil, ``, Outcome{Queued: true}, false},
			{200, nil, `1`, Outcome{}, false},
			{400, nil, `{"error":{"code":"TriggerInputSchemaMismatch","message":"x"}}`, client, false},
			{400, nil, `{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"x"}}`, gone, false},
			{401, nil, `{"error":{"code":"DirectApiAuthorizationRequired","message":"x"}}`, auth, false},
			{404, nil, `{"error":{"code":"WorkflowNotFound","message":"x"}}`, gone, false},
			{413, nil, ``, client, true},
			{429, retry("20"), `{"error":{"code":"x","message":"x"}}`, rate(20 * time.Second), false},
			{502, nil, `{"error":{"code":"NoResponse","message":"x"}}`, unclear, false},
		},
	}
}

func TestAnswersMeanWhatTheServicesSay(t *testing.T) {
	for name, all := range answers() {
		kind, known := KindOf(name)
		if !known {
			t.Fatalf("there are answers of %s, and no such kind", name)
		}
		robot := robotOf(t, kind)
		for _, a := range all {
			got := robot.judge(a.answer())
			if (got.Detail == "") != (got.Class == Delivered) {
				t.Errorf("%s, %d %s: the detail is %q", name, a.status, a.body, got.Detail)
			}
			if got.Detail = ""; got.Outcome != a.want || got.large != a.large {
				t.Errorf("%s, %d %s: %+v, want %+v (large: %v)", name, a.status, a.body, got, a.want, a.large)
			}
		}
	}
}

func TestReceiversMeanWhatStandardWebhooksSay(t *testing.T) {
	h := hook{silence: one}
	abort := map[string]string{"Webhook-Delivery": " Abort-Message "}
	for _, a := range []said{
		{200, nil, ``, Outcome{}, false},
		{204, nil, ``, Outcome{}, false},
		{299, abort, ``, Outcome{}, false}, // accepted: there is nothing to abort
		{301, nil, ``, Outcome{Class: AuthError}, false},
		{400, nil, ``, Outcome{Class: ClientError}, false}, // tried again, as the schedule says
		{400, abort, ``, Outcome{Class: ClientError, Final: true}, false},
		{500, abort, ``, Outcome{Class: ClientError, Final: true, Unsure: true}, false},
		{429, abort, ``, Outcome{Class: ClientError, Final: true}, false},
		{400, map[string]string{"Webhook-Delivery": "later"}, ``, Outcome{Class: ClientError}, false},
		{401, nil, ``, Outcome{Class: AuthError}, false},
		{404, nil, ``, Outcome{Class: AuthError}, false},
		{410, nil, ``, Outcome{Class: Gone, Final: true}, false},
		{410, abort, ``, Outcome{Class: Gone, Final: true}, false},
		{429, map[string]string{"Retry-After": "5"}, ``, Outcome{Class: RateLimited, Pause: 5 * time.Second}, false},
		{502, nil, ``, Outcome{Class: RateLimited, Pause: one, Unsure: true}, false},
		{504, nil, ``, Outcome{Class: RateLimited, Pause: one, Unsure: true}, false},
		{503, map[string]string{"Retry-After": "9"}, ``, Outcome{Class: ServerError, Pause: 9 * time.Second, Unsure: true}, false},
		{500, nil, ``, Outcome{Class: ServerError, Unsure: true}, false},
	} {
		got := h.judge(a.answer())
		if got.Detail = ""; got != a.want {
			t.Errorf("%d %v: %+v, want %+v", a.status, a.header, got, a.want)
		}
	}
}

func TestTheScheduleIsTheDocumentedOne(t *testing.T) {
	kind, _ := KindOf("webhook")
	var since time.Duration
	for _, d := range kind.Schedule {
		since += d
	}
	if len(kind.Schedule) != 10 || kind.Schedule[0] != 0 || since != 75*time.Hour+35*time.Minute+5*time.Second {
		t.Errorf("the schedule is %v, %v in all", kind.Schedule, since)
	}
}

func (s said) answer() answer {
	header := http.Header{}
	for name, value := range s.header {
		header.Set(name, value)
	}
	return answer{s.status, header, []byte(s.body), time.Date(2026, 8, 3, 10, 0, 0, 0, time.UTC), func(s string) string { return s }}
}

func TestAddressesThatCannotBe(t *testing.T) {
	for _, raw := range []string{
		"", "oapi.dingtalk.com/robot/send", "http://oapi.dingtalk.com/x", "ftp://127.0.0.1/", "https://", "https://:443/", "https://user:pw@example.com/", "http://127.0.0.1.example/", "https://exa mple.com/", "://", "http://10.0.0.1/", "http://0.0.0.0/",
	} {
		if a, err := ParseAddress(raw); err == nil {
			t.Errorf("%q is taken: %v", raw, a.reveal())
		}
	}
	for _, raw := range []string{"https://hooks.slack.com/x", " https://example.com/x?y=z\n", "http://127.0.0.1:9099/x", "http://[::1]:1/", "http://localhost/x"} {
		if _, err := ParseAddress(raw); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestKindsRefuseWhatCannotWork(t *testing.T) {
	for _, c := range []struct{ kind, url, want string }{
		{"dingtalk", "https://oapi.dingtalk.com/robot/send", "access_token"},
		{"wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "key"},
		{"teams", "https://contoso.webhook.office.com/webhookb2/x", "Workflows"},
		{"teams", "https://outlook.office.com/webhook/x", "Workflows"},
		{"teams", "https://CONTOSO.WEBHOOK.office.com./webhookb2/x", "Workflows"},
	} {
		kind, _ := KindOf(c.kind)
		_, err := kind.New(Options{Address: addressOf(t, c.url)})
		demandError(t, c.url, err, c.want)
		if u, _ := url.Parse(c.url); err != nil && contains(err.Error(), u.Host) {
			t.Errorf("%s: the error shows the address: %v", c.url, err)
		}
	}
	for _, kind := range Kinds() {
		_, err := kind.New(Options{})
		demandError(t, kind.Name, err, "no address")
	}
}
