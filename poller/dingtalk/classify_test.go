package dingtalk

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rollcall/poller"
)

const page = "<!DOCTYPE html>\n<html><head><title>blocked</title></head></html>"

// ask makes both calls and gives their faults.
func ask(t *testing.T, client *Client) map[string]*Fault {
	t.Helper()
	_, queryErr := client.Query(t.Context(), []string{"a"})
	_, lookupErr := client.Lookup(t.Context(), "a")
	faults := map[string]*Fault{}
	for op, err := range map[string]error{"query meetings": queryErr, "look up meeting": lookupErr} {
		fault, ok := errors.AsType[*Fault](err)
		if !ok {
			t.Fatalf("%s: error %v is no fault", op, err)
		}
		if fault.Operation != op || !strings.HasPrefix(fault.Error(), op+": ") {
			t.Errorf("%s: the fault says %v", op, fault)
		}
		faults[op] = fault
	}
	return faults
}

// TestTableOfClasses walks the tables that the code uses.
func TestTableOfClasses(t *testing.T) {
	type row struct {
		rule
		body string
	}
	var rows []row
	for _, r := range byCode {
		code := strings.NewReplacer("*", "ForSuitekeyAndOrgAndApi", "?", "5").Replace(r.code)
		for _, shape := range []string{
			`{"code":%q,"message":"m","requestid":"r-1","accessdenieddetail":{"requiredScopes":["S.a","S.b"]}}`,
			`{"Code":%q,"Message":"m","RequestId":"r-1","accessDeniedDetail":{"RequiredScopes":["S.a","S.b"]}}`,
		} {
			rows = append(rows, row{r, fmt.Sprintf(shape, code)}, row{r, fmt.Sprintf(shape, strings.ToUpper(code))})
		}
	}
	for _, r := range byPage {
		rows = append(rows, row{r, page})
	}
	for _, r := range byStatus {
		rows = append(rows, row{r, ""}, row{r, "upstream gone"}, row{r, `{"co`})
		if r.status != 200 {
			rows = append(rows, row{r, `{"code":"never.heard.of"}`})
		}
	}
	rows = append(rows, row{blockedRule, `{"status":1111,"msg":"x","source":"x5","punish":"deny"}`})
	for _, row := range rows {
		t.Run(fmt.Sprintf("%d %s", row.status, row.body), func(t *testing.T) {
			client, _ := serve(t, says(row.status, row.body))
			for op, fault := range ask(t, client) {
				if fault.Class() != row.class || fault.Status != row.status || fault.Fix != row.fix {
					t.Errorf("%s: class %v, status %d, fix %q: %v", op, fault.Class(), fault.Status, fault.Fix, fault)
				}
				if (fault.RetryAfter() > 0) != row.toMinute {
					t.Errorf("%s: wait %v", op, fault.RetryAfter())
				}
				if row.code != "" && (fault.RequestID != "r-1" || fault.Message != "m" || len(fault.Scopes) != 2) {
					t.Errorf("%s: read %+v", op, fault)
				}
			}
		})
	}
}

// TestDocumentedAnswers holds the tables against DingTalk's documentation.
func TestDocumentedAnswers(t *testing.T) {
	const denied = "Forbidden.AccessDenied."
	tests := []struct {
		status int
		codes  string
		want   poller.Class
	}{
		{400, "InvalidAuthentication invalidClientIdOrSecret invalidSuiteKey invalidSuiteTicket invalidAuthInfo invalid.client", poller.ClassToken},
		{401, "unauthorized.client InvalidAuthentication", poller.ClassToken},
		{403, denied + "QpsLimitForAppkeyAndApi " + denied + "QpsLimitForApi " + denied + "QpmLimitForApi " + denied + "QpsLimitForSuitekeyAndOrgAndApi", poller.ClassThrottled},
		{404, "waterLimitError", poller.ClassThrottled},
		{403, denied + "ApiCountLimitForOrg", poller.ClassQuota},
		{403, denied + "AccessTokenPermissionDenied " + denied + "IpNotInWhiteList noPermission", poller.ClassPermission},
		{404, "permissionError", poller.ClassPermission},
		{404, "roomNotFound", poller.ClassUnknown},
		{400, "resourceClose confClosed roomClosed", poller.ClassEnded},
		{400, "orgAccessForbidden unknownUserError", poller.ClassPermission},
		{400, "paramsError paramsTitleError paramError param.error missingRoomId", poller.ClassBadRequest},
		{500, "systemError system.error request.often", poller.ClassTransient},
		{429, "anything", poller.ClassTransient},
		{502, "anything", poller.ClassTransient},
		{503, "anything", poller.ClassTransient},
		{504, "anything", poller.ClassTransient},
		{404, "InvalidAction.NotFound", poller.ClassTransient}, // no meeting is missed for it
	}
	for _, test := range tests {
		for _, code := range strings.Fields(test.codes) {
			if r := classify(test.status, errorBody{code: code}); r.class != test.want {
				t.Errorf("%d %s: %v, want %v", test.status, code, r.class, test.want)
			}
		}
	}
}

func TestPages(t *testing.T) {
	tests := []struct {
		status            int
		contentType, body string
		want              poller.Class
	}{
		{200, "text/html; charset=utf-8", page, poller.ClassBlocked},
		{200, "application/json", "\ufeff\n " + page, poller.ClassBlocked},
		{200, "text/html", "come back later", poller.ClassBlocked},
		{502, "text/html", page, poller.ClassTransient},
		{404, "text/html", page, poller.ClassTransient},
		{502, "application/json", `{"status":1111,"source":"x5","punish":"deny"}`, poller.ClassBlocked},
		{200, "application/json", `{"code":"systemError","message":"m"}`, poller.ClassTransient},
		{200, "application/json", `{"Code":"Forbidden.AccessDenied.QpsLimitForApi"}`, poller.ClassThrottled},
	}
	for _, test := range tests {
		client, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		})
		for op, fault := range ask(t, client) {
			if fault.Class() != test.want {
				t.Errorf("%d %s %q: %s: %v", test.status, test.contentType, test.body, op, fault)
			}
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   poller.Class
	}{
		{400, `{"code":"invalidClientIdOrSecret","message":"m","requestid":"r"}`, poller.ClassToken},
		{400, `{"code":"param.error"}`, poller.ClassToken},
		{400, ``, poller.ClassToken},
		{404, `{"code":"corpNotFound"}`, poller.ClassToken},
		{401, ``, poller.ClassToken},
		{403, `{"code":"Forbidden.AccessDenied.IpNotInWhiteList"}`, poller.ClassPermission},
		{403, `{"code":"Forbidden.AccessDenied.QpsLimitForApi"}`, poller.ClassThrottled},
		{500, ``, poller.ClassTransient},
		{502, page, poller.ClassTransient},
		{200, page, poller.ClassBlocked},
		{200, `{"status":1111,"source":"x5","punish":"deny"}`, poller.ClassBlocked},
		{200, ``, poller.ClassMalformed},
		{200, `[]`, poller.ClassMalformed},
		{200, `{"expireIn":7200}`, poller.ClassMalformed},
		{200, `{"accessToken":null}`, poller.ClassMalformed},
		{200, `{"accessToken":17}`, poller.ClassMalformed},
		{200, `{"accessToken":"` + theToken + `\r\nx: y"}`, poller.ClassMalformed},
		{200, `{"accessToken":"` + theToken + `","expireIn":72`, poller.ClassMalformed},
		{200, `{"accessToken":""}`, poller.ClassMalformed},
		{200, `{"errcode":40014,"errmsg":"m"}`, poller.ClassToken},
		{200, `{"errcode":40089,"errmsg":"invalid corpid or corpsecret","request_id":"r"}`, poller.ClassToken},
		{200, `{"errcode":"40096"}`, poller.ClassToken},
		{200, `{"errcode":90018}`, poller.ClassThrottled},
		{200, `{"errcode":-1}`, poller.ClassTransient},
		{200, `{"errcode":12345,"access_token":"x"}`, poller.ClassTransient},
		{200, `{"success":false,"accessToken":"x"}`, poller.ClassTransient},
		{400, `{"error":"invalid_client","error_description":"m"}`, poller.ClassToken},
		{401, `{"code":"authFailed"}`, poller.ClassToken},
		{400, page, poller.ClassTransient},
	}
	for _, test := range tests {
		client, s := serveBoth(t, says(test.status, test.body), says(200, `{"infos":[]}`))
		_, err := client.Query(t.Context(), []string{"a"})
		if poller.ClassOf(err) != test.want || s.calls != 0 {
			t.Errorf("%d %s: %v, %d calls", test.status, test.body, err, s.calls)
		}
		if _, again := client.CheckToken(t.Context()); !errors.Is(again, err) || s.tokens != 1 {
			t.Errorf("%d %s: then %v after %d requests", test.status, test.body, again, s.tokens)
		}
		noSecrets(t, s.logs, err)
		if test.want != poller.ClassPermission && test.want != poller.ClassThrottled && !strings.Contains(err.Error(), "endpoint "+s.URL) {
			t.Errorf("%d %s: the endpoint is not named: %v", test.status, test.body, err)
		}
	}
}
