package dingtalk

import (
	"net/http"
	"strings"

	"rollcall/poller"
)

// What an operator can do about a fault.
const (
	mendScopes = "an administrator grants it in the DingTalk developer console: the app, Permissions, VideoConference.Conference.Read"
	mendIP     = "add this machine's public address to the app's allowed addresses in the DingTalk developer console: the app, Security"
	mendOrg    = "the app or its permission VideoConference.Conference.Read does not cover this organization's meetings; " +
		"see the DingTalk developer console: the app, Permissions and Visibility"
	mendAuth   = "check the app's id and secret in the DingTalk developer console: the app, Credentials"
	mendTicket = "check that the newest suite ticket is in its file: DingTalk pushes one to the app every five hours"
	mendQuota  = "the organization's calls of this calendar month (China time) are used up: wait for the next one or buy more, " +
		"after which run goes on at a SIGHUP or a restart"
	mendBlocked = "DingTalk's firewall refuses this machine's address; it lets it in again after some minutes without calls " +
		"(if it never does, check that the tenant's endpoint is DingTalk's)"
	mendProxy = "the proxy wants credentials: see HTTPS_PROXY"
)

// accessDenied begins codes of DingTalk's gateway; it is left out of the table.
const accessDenied = "Forbidden.AccessDenied."

// rule says what an answer means.
type rule struct {
	// status is the HTTP status. With a code it only tells where the code is
	// documented: the code decides.
	status int
	// code is DingTalk's, in any letter case; a * at its end stands for any rest.
	code     string
	class    poller.Class
	mend     string
	toMinute bool // the limit is counted by the minute: wait for the next one
}

// byCode classifies by DingTalk's code, which is worth more than the status.
var byCode = []rule{
	{status: 400, code: "InvalidAuthentication", class: poller.ClassToken, mend: mendAuth},
	{status: 400, code: "invalidClientIdOrSecret", class: poller.ClassToken, mend: mendAuth},
	{status: 400, code: "invalidSuiteKey", class: poller.ClassToken, mend: mendAuth},
	{status: 400, code: "invalidSuiteTicket", class: poller.ClassToken, mend: mendTicket},
	{status: 400, code: "invalidAuthInfo", class: poller.ClassToken, mend: mendAuth},
	{status: 400, code: "invalid.client", class: poller.ClassToken, mend: mendAuth},
	{status: 401, code: "unauthorized.client", class: poller.ClassToken, mend: mendAuth},

	{status: 403, code: accessDenied + "QpsLimit*", class: poller.ClassThrottled},
	{status: 403, code: accessDenied + "QpmLimit*", class: poller.ClassThrottled, toMinute: true},
	{status: 404, code: "waterLimitError", class: poller.ClassThrottled},
	{status: 403, code: accessDenied + "ApiCountLimitForOrg", class: poller.ClassQuota, mend: mendQuota},

	{status: 403, code: accessDenied + "AccessTokenPermissionDenied", class: poller.ClassPermission, mend: mendScopes},
	{status: 403, code: accessDenied + "IpNotInWhiteList", class: poller.ClassPermission, mend: mendIP},
	{status: 403, code: "noPermission", class: poller.ClassPermission, mend: mendScopes},
	{status: 404, code: "permissionError", class: poller.ClassPermission, mend: mendScopes},
	{status: 400, code: "orgAccessForbidden", class: poller.ClassPermission, mend: mendOrg},
	{status: 400, code: "unknownUserError", class: poller.ClassPermission, mend: mendOrg},

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
}

// byPage classifies HTML: these statuses come with it from a firewall, never
// from the API.
var byPage = []rule{
	{status: 200, class: poller.ClassBlocked, mend: mendBlocked},
	{status: 403, class: poller.ClassBlocked, mend: mendBlocked},
	{status: 405, class: poller.ClassBlocked, mend: mendBlocked},
}

// byStatus classifies what has no code that is known. A 404 without its code
// may be any proxy's: only roomNotFound says that a meeting is not known.
var byStatus = []rule{
	{status: 200, class: poller.ClassMalformed},
	{status: 400, class: poller.ClassBadRequest},
	{status: 401, class: poller.ClassToken, mend: mendAuth},
	{status: 403, class: poller.ClassPermission, mend: mendScopes},
	{status: 404, class: poller.ClassTransient},
	{status: 407, class: poller.ClassPermission, mend: mendProxy},
	{status: 413, class: poller.ClassBadRequest},
	{status: 429, class: poller.ClassTransient},
	{status: 500, class: poller.ClassTransient},
	{status: 502, class: poller.ClassTransient},
	{status: 503, class: poller.ClassTransient},
	{status: 504, class: poller.ClassTransient},
}

// blockedRule is for the answer of the firewall itself, whatever its status.
var blockedRule = rule{status: 200, class: poller.ClassBlocked, mend: mendBlocked}

// classify finds the rule of an answer. known is false where only the status,
// or not even that, decided.
func classify(status int, c complaint) (r rule, known bool) {
	if c.x5 {
		return blockedRule, true
	}
	for _, r := range byCode {
		if r.matches(c.code) {
			return r, true
		}
	}
	if c.page {
		if r, found := ofStatus(byPage, status); found {
			return r, true
		}
	}
	if r, found := ofStatus(byStatus, status); found {
		return r, false
	}
	if status/100 == 2 {
		return rule{class: poller.ClassMalformed}, false
	}
	return rule{class: poller.ClassTransient}, false
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
		return rule{class: poller.ClassToken, mend: mendAuth}
	}
	if status == http.StatusNotFound && r.class == poller.ClassTransient {
		return rule{class: poller.ClassToken, mend: "check the corp id and the endpoint"}
	}
	return r
}
