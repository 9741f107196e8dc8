package dingtalk

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// complaint is what the body of an answer says when something is wrong.
type complaint struct {
	code, message, requestID string
	scopes                   []string
	x5                       bool // DingTalk's firewall speaks
	page                     bool // it is HTML
}

// readComplaint reads any body; of one that is no JSON object it only learns
// whether it is HTML. Names count in any letter case.
func readComplaint(contentType string, body []byte) (c complaint) {
	isObject := pick(body, func(name, value []byte) {
		switch strings.ToLower(string(name)) {
		case "code", "errcode":
			c.code = word(value)
		case "message", "errmsg":
			c.message, _ = text(value)
		case "requestid", "request_id":
			c.requestID = word(value)
		case "accessdenieddetail":
			c.scopes = scopes(value)
		case "source":
			c.x5 = c.x5 || word(value) == "x5"
		case "punish":
			c.x5 = c.x5 || word(value) == "deny"
		}
	})
	if !isObject {
		mediaType := strings.ToLower(strings.TrimSpace(contentType))
		html := strings.HasPrefix(mediaType, "text/html") && len(body) > 0
		return complaint{page: html || bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<"))}
	}
	return c
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
