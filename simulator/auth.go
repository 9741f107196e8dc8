package simulator

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// tokenHeader carries the token, raw.
const tokenHeader = "x-acs-dingtalk-access-token"

// auth returns out tokens, asks for them, and keeps calls within the QPS limit.
type auth struct {
	cfg    Config
	issued uint64
	tokens map[string]time.Time // until when they are good
	calls  []time.Time          // the last QPS metered calls that were let in, a ring
	next   int
}

func newAuth(cfg Config) *auth {
	return &auth{cfg: cfg, tokens: map[string]time.Time{}, calls: make([]time.Time, cfg.QPS)}
}

func (a *auth) issue() string {
	now := a.cfg.Now()
	for token, until := range a.tokens {
		if !now.Before(until) {
			delete(a.tokens, token)
		}
	}
	a.issued++
	token := fmt.Sprintf("sim%d%s", a.issued, text(a.cfg.chance(streamRequest, 1<<36+a.issued), hexDigits, 29))
	a.tokens[token] = now.Add(a.cfg.TokenLife)
	return token
}

func (a *auth) revoke() { clear(a.tokens) }

// admit lets a metered call in, or returns the code that refuses it.
func (a *auth) admit(r *http.Request) (code string) {
	now := a.cfg.Now()
	until, known := a.tokens[r.Header.Get(tokenHeader)]
	if !known || !now.Before(until) {
		return codeToken
	}
	if len(a.calls) == 0 {
		return ""
	}
	if oldest := a.calls[a.next]; !oldest.IsZero() && now.Sub(oldest) < time.Second {
		return codeThrottled
	}
	a.calls[a.next] = now
	a.next = (a.next + 1) % len(a.calls)
	return ""
}

// expireIn is the life of a token in whole seconds, as DingTalk states it.
func (a *auth) expireIn() int64 { return int64(a.cfg.TokenLife / time.Second) }

type internalToken struct {
	AccessToken string `json:"accessToken"`
	ExpireIn    int64  `json:"expireIn"`
}

type unifiedToken struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
}

// same compares secrets; that it takes the same time is good manners here,
// where secrets are public.
func same(given, want string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

// internalFlow is POST /v1.0/oauth2/accessToken.
func (a *auth) internalFlow(q question) reply {
	var body struct {
		AppKey    string `json:"appKey"`
		AppSecret string `json:"appSecret"`
	}
	if json.Unmarshal(q.body, &body) != nil {
		return fail("paramError")
	}
	if !same(body.AppKey, a.cfg.AppKey) || !same(body.AppSecret, a.cfg.AppSecret) {
		return fail("invalidClientIdOrSecret")
	}
	return okay(internalToken{a.issue(), a.expireIn()})
}

// corpFlow is POST /v1.0/oauth2/corpAccessToken.
func (a *auth) corpFlow(q question) reply {
	var body struct {
		SuiteKey    string `json:"suiteKey"`
		SuiteSecret string `json:"suiteSecret"`
		AuthCorpID  string `json:"authCorpId"`
		SuiteTicket string `json:"suiteTicket"`
	}
	if json.Unmarshal(q.body, &body) != nil {
		return fail("paramError")
	}
	switch {
	case !same(body.SuiteKey, a.cfg.SuiteKey), !same(body.SuiteSecret, a.cfg.SuiteSecret):
		return fail("invalidSuiteKey")
	case !same(body.SuiteTicket, a.cfg.SuiteTicket):
		return fail("invalidSuiteTicket")
	case body.AuthCorpID != a.cfg.CorpID:
		return fail("invalidAuthInfo")
	}
	return okay(internalToken{a.issue(), a.expireIn()})
}

// unifiedFlow is POST /v1.0/oauth2/{corpId}/token.
func (a *auth) unifiedFlow(q question) reply {
	var body struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		GrantType    string `json:"grant_type"`
	}
	if json.Unmarshal(q.body, &body) != nil || body.GrantType != "client_credentials" {
		return fail("paramError")
	}
	if !same(body.ClientID, a.cfg.AppKey) || !same(body.ClientSecret, a.cfg.AppSecret) {
		return fail("invalid.client")
	}
	if q.request.PathValue("corpId") != a.cfg.CorpID {
		return fail("unauthorized.client")
	}
	return okay(unifiedToken{a.issue(), a.expireIn()})
}
