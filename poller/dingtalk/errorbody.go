package dingtalk

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// errorBody is what the body of an answer says when something is wrong. DingTalk
// has several styles: {"code","message","requestid"} of its gateway, the older
// {"errcode","errmsg","request_id"}, and {"success":false,"errorCode","errorMsg"}.
type errorBody struct {
	code, sub          string // sub: the old style's sub_code, which says what code 88 is about
	message, requestID string
	scopes             []string
	failed             bool // it says so, whatever the code
	x5                 bool // DingTalk's firewall speaks
	page               bool // it is HTML
}

// readErrorBody reads any body; of one that is no JSON object it only learns
// whether it is HTML. Names count in any letter case.
func readErrorBody(contentType string, body []byte) (c errorBody) {
	var source, punish, status string
	isObject := pick(body, func(name, value []byte) {
		switch string(fold(name, new([longestMember]byte))) {
		case "code", "errorcode", "error":
			c.code = codeOf(value, c.code)
		case "errcode":
			c.code = codeOf(value, c.code)
			c.failed = c.failed || codeOf(value, "") != ""
		case "subcode":
			c.sub = codeOf(value, "")
		case "success":
			c.failed = c.failed || isFalse(value)
		case "message", "errmsg", "errormsg", "errormessage", "errordescription":
			c.message, _ = text(value)
		case "requestid":
			c.requestID = word(value)
		case "accessdenieddetail":
			c.scopes = scopes(value)
		case "source":
			source = word(value)
		case "punish":
			punish = word(value)
		case "status":
			status = word(value)
		}
	})
	if !isObject {
		mediaType := strings.ToLower(strings.TrimSpace(contentType))
		html := strings.HasPrefix(mediaType, "text/html") && len(body) > 0
		return errorBody{page: html || bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<"))}
	}
	c.x5 = source == "x5" && (punish == "deny" || status == "1111")
	return c
}

// longestMember is as long as any name that an errorBody has.
const longestMember = len("accessdenieddetail")

// fold writes a name in small letters and without underscores, as far as there
// is room; a longer one is none of an errorBody's.
func fold(name []byte, room *[longestMember]byte) []byte {
	folded := room[:0]
	for _, c := range name {
		switch {
		case c == '_':
		case len(folded) == len(room):
			return nil
		case 'A' <= c && c <= 'Z':
			folded = append(folded, c|0x20)
		default:
			folded = append(folded, c)
		}
	}
	return folded
}

// complains reports whether a member of this name may say that a call failed.
func complains(name []byte) bool {
	var room [longestMember]byte
	switch string(fold(name, &room)) {
	case "code", "errorcode", "error", "errcode", "success", "source":
		return true
	}
	return false
}

// codeOf reads a code; one that says that all is well, or none, leaves before.
func codeOf(raw []byte, before string) string {
	switch code := word(raw); strings.ToLower(code) {
	case "", "0", "200", "ok", "success":
		return before
	default:
		return code
	}
}

func isFalse(raw []byte) bool {
	s, _ := text(raw)
	return string(raw) == "false" || strings.EqualFold(s, "false")
}

// shownCode is the code as it stands in errors.
func (c errorBody) shownCode() string {
	if c.sub == "" || c.sub == c.code {
		return c.code
	}
	return c.code + " (" + c.sub + ")"
}

// tells reports whether the body itself says that the call failed. A code that
// nobody knows counts where there is nothing beside it.
func (c errorBody) tells(empty bool) bool {
	if c.x5 || c.failed {
		return true
	}
	_, known := ofCode(c)
	return known || empty && c.code != ""
}

// word reads a string, or a number as it is written.
func word(raw []byte) string {
	if s, ok := text(raw); ok {
		return s
	}
	if raw[0] == '-' || isDigit(raw[0]) {
		return string(raw)
	}
	return ""
}

// scopes reads requiredScopes out of accessdenieddetail.
func scopes(raw []byte) (names []string) {
	const most = 16
	pick(raw, func(name, value []byte) {
		if !strings.EqualFold(string(name), "requiredScopes") || value[0] != '[' {
			return
		}
		c := newCursor(value)
		c.array(func() {
			if name, ok := text(c.value()); ok && len(names) < most {
				names = append(names, name)
			}
		})
	})
	return names
}

// requestIDs are the headers that may name the request, the likeliest first.
var requestIDs = []string{"x-acs-request-id", "x-acs-trace-id", "x-request-id", "eagleeye-traceid"}

func headerRequestID(h http.Header) string {
	for _, name := range requestIDs {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// maxWait is the longest that a Retry-After is obeyed.
const maxWait = 5 * time.Minute

// retryAfter reads the header: seconds or a date. 0: it says nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		// Clamped before the product, which could overflow.
		return time.Duration(min(max(seconds, 0), int64(maxWait/time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxWait)
}

// untilMinute is how long the current minute still lasts.
func untilMinute(now time.Time) time.Duration {
	return now.Truncate(time.Minute).Add(time.Minute).Sub(now)
}
