package simulator

import "net/http"

// row is one of DingTalk's error answers.
type row struct {
	code    string
	status  int
	message string
}

const (
	codeToken      = "InvalidAuthentication"
	codeThrottled  = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
	codeParams     = "paramsError"
	codeUnknown    = "roomNotFound"
	codeClosed     = "resourceClose"
	codePermission = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
	codeNoSuchAPI  = "InvalidAction.NotFound"
	scope          = "VideoConference.Conference.Read"
)

// errorRows is the table of errors. Some codes are gateway spellings for
// statuses that DingTalk documents without a code.
func errorRows() []row {
	return []row{
		{codeToken, 400, "不合法的access_token"},
		{codeThrottled, 403, "the qps limit of this appkey and api is reached"},
		{"Forbidden.AccessDenied.QpsLimitForApi", 403, "the qps limit of this api is reached"},
		{"Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", 403, "the limit a minute of this appkey and api is reached"},
		{"Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi", 403, "the qps limit of this suite, organization and api is reached"},
		{"Forbidden.AccessDenied.ApiCountLimitForOrg", 403, "the organization has used up its calls of this month"},
		{codePermission, 403, "the application lacks a permission: " + scope},
		{"Forbidden.AccessDenied.IpNotInWhiteList", 403, "the caller's ip is not in the white list"},
		{"noPermission", 403, "no permission"},
		{"waterLimitError", 404, "water limit"},
		{"permissionError", 404, "permission error"},
		{codeUnknown, 404, "room not found"},
		{codeClosed, 400, "the conference is closed"},
		{"confClosed", 400, "the conference is closed"},
		{"roomClosed", 400, "the room is closed"},
		{"orgAccessForbidden", 400, "the organization may not be accessed"},
		{"unknownUserError", 400, "unknown user"},
		{codeParams, 400, "a parameter is wrong"},
		{"paramsTitleError", 400, "the title is wrong"},
		{"paramError", 400, "a parameter is wrong"},
		{"param.error", 400, "a parameter is wrong"},
		{"missingRoomId", 400, "the room id is missing"},
		// These two are in no document: a refusal that says nothing about any
		// meeting, and an unknown meeting that is not reported as one.
		{"Throttling.User", 400, "Request was denied due to user flow control."},
		{"conference.notExist", 404, "the conference does not exist"},
		{"Throttling", 429, "too many requests"},
		{"systemError", 500, "system error"},
		{"system.error", 500, "system error"},
		{"request.often", 500, "requests come too often"},
		{"BadGateway", 502, "bad gateway"},
		{"ServiceUnavailable", 503, "service unavailable"},
		{"GatewayTimeout", 504, "gateway timeout"},
		{"invalidClientIdOrSecret", 400, "无效的clientId或者clientSecret"},
		{"invalidSuiteKey", 400, "invalid suite key or secret"},
		{"invalidSuiteTicket", 400, "invalid suite ticket"},
		{"invalidAuthInfo", 400, "the organization has not authorized the suite"},
		{"invalid.client", 400, "invalid client id or secret"},
		{"unauthorized.client", 401, "the client is not authorized for the organization"},
		{codeNoSuchAPI, 404, "Specified api is not found, please check your url and method."},
	}
}

func rowOf(code string) (row, bool) {
	for _, r := range errorRows() {
		if r.code == code {
			return r, true
		}
	}
	return row{}, false
}

// wireError is an error's body in the usual spelling, wireErrorCapitals in the
// other one that was seen.
type wireError struct {
	Code      string        `json:"code"`
	Message   string        `json:"message"`
	RequestID string        `json:"requestid"`
	Detail    *deniedDetail `json:"accessdenieddetail,omitempty"`
}

type wireErrorCapitals struct {
	Code      string        `json:"Code"`
	Message   string        `json:"Message"`
	RequestID string        `json:"RequestId"`
	Detail    *deniedDetail `json:"AccessDeniedDetail,omitempty"`
}

type deniedDetail struct {
	RequiredScopes []string `json:"requiredScopes"`
}

// reply is an answer before it is sent.
type reply struct {
	status      int
	contentType string // "": JSON
	code        string
	pieces      [][]byte
	asked       []string
	shown       []Shown
}

func okay(v any) reply {
	return reply{status: http.StatusOK, pieces: [][]byte{encode(v)}}
}

// fail is an error of the table; its body is written once the request has an id.
func fail(code string) reply {
	r, _ := rowOf(code)
	return reply{status: r.status, code: r.code}
}

func errorBody(code, requestID string, capitals bool) []byte {
	r, _ := rowOf(code)
	body := wireError{Code: r.code, Message: r.message, RequestID: requestID}
	if r.code == codePermission {
		body.Detail = &deniedDetail{RequiredScopes: []string{scope}}
	}
	if capitals {
		return encode(wireErrorCapitals(body))
	}
	return encode(body)
}
