package dingtalk

import (
	"errors"
	"strings"
	"testing"

	"rollcall/poller"
)

// TestFailuresWithStatus200 has every operation answered by a body that tells of
// a failure, in each of DingTalk's styles: it is one, with its words.
func TestFailuresWithStatus200(t *testing.T) {
	for body, want := range map[string]struct {
		class                    poller.Class
		code, message, requestID string
	}{
		`{"code":"serviceBusy","message":"try later","requestid":"R-1"}`:                             {poller.ClassTransient, "serviceBusy", "try later", "R-1"},
		`{"success":false,"errorCode":"50001","errorMsg":"internal error","requestId":"R-2"}`:        {poller.ClassTransient, "50001", "internal error", "R-2"},
		`{"Success":"False","error_message":"m"}`:                                                    {poller.ClassTransient, "", "m", ""},
		`{"errcode":88,"errmsg":"ding talk error[subcode=60011]","sub_code":"60011","request_id":3}`: {poller.ClassPermission, "88 (60011)", "ding talk error[subcode=60011]", "3"},
		`{"errcode":88,"errmsg":"m"}`:                                                                {poller.ClassTransient, "88", "m", ""},
		`{"errcode":40014,"errmsg":"invalid access_token","request_id":"R-4"}`:                       {poller.ClassToken, "40014", "invalid access_token", "R-4"},
		`{"errcode":90018,"errmsg":"app qps limit","request_id":"R-5"}`:                              {poller.ClassThrottled, "90018", "app qps limit", "R-5"},
		`{"errcode":60020}`:                                {poller.ClassPermission, "60020", "", ""},
		`{"errcode":"-1","errmsg":"busy"}`:                 {poller.ClassTransient, "-1", "busy", ""},
		`{"error":"oops","error_description":"m"}`:         {poller.ClassTransient, "oops", "m", ""},
		`{"status":1111,"source":"x5","punish":"captcha"}`: {poller.ClassBlocked, "", "", ""},
	} {
		client, s := serve(t, says(200, body))
		for op, err := range everyCall(t, client) {
			fault, ok := errors.AsType[*Fault](err)
			if !ok || fault.Class() != want.class || fault.Code != want.code || fault.Message != want.message || fault.RequestID != want.requestID {
				t.Errorf("%s: %s: %v", body, op, err)
			}
		}
		noSecrets(t, s.logs)
	}
}

func everyCall(t *testing.T, client *Client) map[string]error {
	t.Helper()
	_, query := client.Query(t.Context(), []string{"a"})
	_, lookup := client.Lookup(t.Context(), "a")
	_, ongoing := client.Ongoing(t.Context(), "")
	_, user := client.OngoingOf(t.Context(), "u")
	return map[string]error{"query": query, "lookup": lookup, "ongoing": ongoing, "user": user}
}

// TestAnswersThatAreFine hold words beside the answer that tell of no failure.
func TestAnswersThatAreFine(t *testing.T) {
	for _, beside := range []string{
		`"success":true`, `"code":"0"`, `"code":0`, `"code":"OK"`, `"code":null`, `"errcode":0,"errmsg":"ok"`, `"errcode":"0"`, `"message":"fine"`,
		`"source":"web"`, `"punish":"deny"`, `"requestId":"r"`,
	} {
		client, _ := serve(t, says(200, `{`+beside+`,"infos":[],"confInfo":{"status":2},"onGoingConfList":[],"onGoingConfIdList":[]}`))
		for op, err := range everyCall(t, client) {
			if err != nil {
				t.Errorf("%s: %s: %v", beside, op, err)
			}
		}
	}
}

// TestFailuresBesideAnAnswer has a body say both: what is empty is no evidence
// then, and a failure that is known, or said outright, counts in any case.
func TestFailuresBesideAnAnswer(t *testing.T) {
	for body, want := range map[string]poller.Class{
		`{"infos":[],"code":"strange"}`:                                               poller.ClassTransient,
		`{"infos":[{"conferenceId":"a"}],"code":"strange"}`:                           poller.ClassNone,
		`{"infos":[{"conferenceId":"a"}],"code":"systemError"}`:                       poller.ClassTransient,
		`{"infos":[{"conferenceId":"a"}],"success":false}`:                            poller.ClassTransient,
		`{"infos":[{"conferenceId":"a","code":"x","success":false}]}`:                 poller.ClassNone,
		`{"infos":[{"conferenceId":"a"}],"errcode":90002}`:                            poller.ClassThrottled,
		`{"infos":[{"conferenceId":"a"}],"ERR_CODE":7,"longlonglong_longlonglong":1}`: poller.ClassTransient,
	} {
		client, _ := serve(t, says(200, body))
		if _, err := client.Query(t.Context(), []string{"a"}); poller.ClassOf(err) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
	client, _ := serve(t, says(200, `{"confInfo":{"status":1},"success":false}`))
	if _, err := client.Lookup(t.Context(), "a"); poller.ClassOf(err) != poller.ClassTransient {
		t.Errorf("an end is told beside a failure: %v", err)
	}
}

// TestPagesAreDoubtful: only the body of DingTalk's firewall is surely the block.
func TestPagesAreDoubtful(t *testing.T) {
	for body, want := range map[string]bool{page: true, `{"status":1111,"msg":"x","source":"x5","punish":"deny"}`: false} {
		client, _ := serve(t, says(200, body))
		for op, fault := range ask(t, client) {
			if fault.Class() != poller.ClassBlocked || fault.Doubtful() != want || strings.Contains(fault.Error(), "JSON") && !want {
				t.Errorf("%s: doubtful %v: %v", op, fault.Doubtful(), fault)
			}
		}
	}
}
