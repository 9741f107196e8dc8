package dingtalk

import (
	"net/http"
	"strings"

	"rollcall/poller"
)

// What an operator can do about a fault.
const (
	fixScopes = "an administrator grants it in the DingTalk developer console: the app, Permissions, VideoConference.Conference.Read"
	fixIP     = "add this machine's public address to the app's allowed addresses in the DingTalk developer console: the app, Security"
	fixOrg    = "the app or its permission VideoConference.Conference.Read does not cover this organization's meetings; " +
		"see the DingTalk developer console: the app, Permissions and Visibility"
	fixAuth   = "check the app's id and secret in the DingTalk developer console: the app, Credentials"
	fixTicket = "check that the newest suite ticket is in its file: DingTalk pushes one to the app every five hours"
	fixQuota  = "the organization's calls of this calendar month (China time) are used up: wait for the next one or buy more, " +
		"after which run goes on at a SIGHUP or a restart"
	fixBlocked = "DingTalk's firewall refuses this machine's address; it lets it in again after some minutes without calls"
	fixPage    = "a web page came instead of an answer: " +
		"DingTalk's firewall refuses this machine's address, or the tenant's endpoint is another server's, or a proxy answers in its place"
	fixProxy = "the proxy wants credentials: see HTTPS_PROXY"
)

// accessDenied begins codes of DingTalk's gateway; it is left out of the table.
const accessDenied = "Forbidden.AccessDenied."

// rule says what an answer means.
type rule struct {
	// status is the HTTP status. With a code it only says where the code is
	// documented: the code decides.
	status int
	// code is DingTalk's, in any letter case; a * at its end stands for any rest,
	// a ? there for one more character.
	code     string
	class    poller.Class
	fix      string
	toMinute bool // the limit is counted by the minute: wait for the next one
}

// byCode classifies by DingTalk's code, which is worth more than the status.
var byCode = []rule{
	{status: 400, code: "InvalidAuthentication", class: poller.ClassToken, fix: fixAuth},
	{status: 400, code: "invalidClientIdOrSecret", class: poller.ClassToken, fix: fixAuth},
	{status: 400, code: "invalidSuiteKey", class: poller.ClassToken, fix: fixAuth},
	{status: 400, code: "invalidSuiteTicket", class: poller.ClassToken, fix: fixTicket},
	{status: 400, code: "invalidAuthInfo", class: poller.ClassToken, fix: fixAuth},
	{status: 400, code: "invalid.client", class: poller.ClassToken, fix: fixAuth},
	{status: 401, code: "unauthorized.client", class: poller.ClassToken, fix: fixAuth},

	{status: 403, code: accessDenied + "QpsLimit*", class: poller.ClassThrottled},
	{status: 403, code: accessDenied + "QpmLimit*", class: poller.ClassThrottled, toMinute: true},
	{status: 404, code: "waterLimitError", class: poller.ClassThrottled},
	{status: 403, code: accessDenied + "ApiCountLimitForOrg", class: poller.ClassQuota, fix: fixQuota},

	{status: 403, code: accessDenied + "AccessTokenPermissionDenied", class: poller.ClassPermission, fix: fixScopes},
	{status: 403, code: accessDenied + "IpNotInWhiteList", class: poller.ClassPermission, fix: fixIP},
	{status: 403, code: "noPermission", class: poller.ClassPermission, fix: fixScopes},
	{status: 404, code: "permissionError", class: poller.ClassPermission, fix: fixScopes},
	{status: 400, code: "orgAccessForbidden", class: poller.ClassPermission, fix: fixOrg},
	{status: 400, code: "unknownUserError", class: poller.ClassPermission, fix: fixOrg},

	{status: 404, code: "roomNotFound", class: poller.ClassUnknown},
	{status: 400, code: "resourceClose", class: poller.ClassEnded},
	{status: 400, code: "confClosed", class: poller.ClassEnded},
	{status: 400, code: "roomClosed", class: poller.ClassEnded},

	{status: 400, code: "paramsError", class: poller.ClassBadRequest},
	{status: 400, code: "paramsTitleError", class: poller.ClassBadRequest},
	{status: 400, code: "paramError", class: poller.ClassBadRequest},
	{status: 400, code: "param.error", class: poller.ClassBadRequest},
	{status: 400, code: "missingRoomId", class: poller.ClassBadRequest},

	{status: 500, code: "systemError", class: poller.ClassTransient},
	{status: 500, code: "system.error", class: poller.ClassTransient},
	{status: 500, code: "request.often", class: poller.ClassTransient},

	// The old style: numbers, with HTTP 200.
	{status: 200, code: "40001", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "40013", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "40014", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "40089", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "40096", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "41001", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "42001", class: poller.ClassToken, fix: fixAuth},
	{status: 200, code: "60011", class: poller.ClassPermission, fix: fixScopes},
	{status: 200, code: "60020", class: poller.ClassPermission, fix: fixIP},
	{status: 200, code: "9000?", class: poller.ClassThrottled}, // too many calls of one kind or another
	{status: 200, code: "9001?", class: poller.ClassThrottled},
	{status: 200, code: "-1", class: poller.ClassTransient},
}

// byPage classifies HTML, which never comes from the API: with these statuses
// perhaps from the firewall, and never because of what was asked.
var byPage = []rule{
	{status: 200, class: poller.ClassBlocked, fix: fixPage},
	{status: 400, class: poller.ClassTransient, fix: fixPage},
	{status: 403, class: poller.ClassBlocked, fix: fixPage},
	{status: 405, class: poller.ClassBlocked, fix: fixPage},
	{status: 413, class: poller.ClassTransient, fix: fixPage},
}

// byStatus classifies what has no code that is known. A 404 without its code
// may be any proxy's: only roomNotFound says that a meeting is not known.
var byStatus = []rule{
	{status: 200, class: poller.ClassMalformed},
	{status: 400, class: poller.ClassBadRequest},
	{status: 401, class: poller.ClassToken, fix: fixAuth},
	{status: 403, class: poller.ClassPermission, fix: fixScopes},
	{status: 404, class: poller.ClassTransient},
	{status: 407, class: poller.ClassPermission, fix: fixProxy},
	{status: 413, class: poller.ClassBadRequest},
	{status: 429, class: poller.ClassTransient},
	{status: 500, class: poller.ClassTransient},
	{status: 502, class: poller.ClassTransient},
	{status: 503, class: poller.ClassTransient},
	{status: 504, class: poller.ClassTransient},
}

// blockedRule is for the answer of the firewall itself, whatever its status.
var blockedRule = rule{status: 200, class: poller.ClassBlocked, fix: fixBlocked}

// classify finds the rule of an answer.
func classify(status int, c errorBody) rule {
	if c.x5 {
		return blockedRule
	}
	if r, found := ofCode(c); found {
		return r
	}
	if c.page {
		if r, found := ofStatus(byPage, status); found {
			return r
		}
	}
	if status/100 == 2 && c.tells(true) {
		return rule{class: poller.ClassTransient} // it can be read, and says nothing that is known
	}
	if r, found := ofStatus(byStatus, status); found {
		return r
	}
	if status/100 == 2 {
		return rule{class: poller.ClassMalformed}
	}
	return rule{class: poller.ClassTransient}
}

// ofCode finds the rule of a code that is known. A subcode says more.
func ofCode(c errorBody) (rule, bool) {
	for _, code := range []string{c.sub, c.code} {
		for _, r := range byCode {
			if code != "" && r.matches(code) {
				return r, true
			}
		}
	}
	return rule{}, false
}

func ofStatus(rules []rule, status int) (rule, bool) {
	for _, r := range rules {
		if r.status == status {
			return r, true
		}
	}
	return rule{}, false
}

// matches compares a code, with or without the gateway's prefix.
func (r rule) matches(code string) bool {
	want, code := bare(r.code), bare(code)
	if stem, open := strings.CutSuffix(want, "*"); open {
		return strings.HasPrefix(code, stem)
	}
	if stem, one := strings.CutSuffix(want, "?"); one {
		return len(code) == len(want) && strings.HasPrefix(code, stem)
	}
	return code == want
}

func bare(code string) string {
	return strings.TrimPrefix(strings.ToLower(code), strings.ToLower(accessDenied))
}

// ofToken bends a rule for the token request, where no refusal is about a
// meeting: whatever is wrong there is wrong with the credentials.
func (r rule) ofToken(status int) rule {
	switch r.class {
	case poller.ClassBadRequest, poller.ClassUnknown, poller.ClassEnded:
		return rule{class: poller.ClassToken, fix: fixAuth}
	}
	if status == http.StatusNotFound && r.class == poller.ClassTransient {
		return rule{class: poller.ClassToken, fix: "check the corp id and the endpoint"}
	}
	return r
}

// fixEndpoint adds to what is wrong with a token request where it was sent to:
// DingTalk has two hosts, and neither knows the other's organizations.
func (x *exchange) fixEndpoint(fix string, class poller.Class) string {
	const hosts = "https://api.dingtalk.com in mainland China, https://api.dingtalk.io elsewhere"
	endpoint := x.endpoint.String()
	switch class {
	case poller.ClassToken:
		return fix + "; and check that the endpoint " + endpoint + " is the organization's: " + hosts
	case poller.ClassTransient, poller.ClassMalformed, poller.ClassBlocked:
		if fix == "" {
			fix = "try again later"
		}
		return fix + "; if it stays so, check the endpoint " + endpoint + ": it is " + hosts
	}
	return fix
}
