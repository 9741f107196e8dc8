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

// gate gives out tokens, asks for them, and keeps calls within the QPS limit.
type gate struct {
	cfg    Config
	issued uint64
	tokens map[string]time.Time // until when they are good
	calls  []time.Time          // the last QPS metered calls that were let in, a ring
	next   int
}

func newGate(cfg Config) *gate {
	return &gate{cfg: cfg, tokens: map[string]time.Time{}, calls: make([]time.Time, cfg.QPS)}
}

func (g *gate) issue() string {
	now := g.cfg.Now()
	for token, until := range g.tokens {
		if !now.Before(until) {
			delete(g.tokens, token)
		}
	}
	g.issued++
	token := fmt.Sprintf("sim%d%s", g.issued, text(g.cfg.chance(streamRequest, 1<<36+g.issued), hexDigits, 29))
	g.tokens[token] = now.Add(g.cfg.TokenLife)
	return token
}

func (g *gate) revoke() { clear(g.tokens) }

// admit lets a metered call in, or gives the code that refuses it.
func (g *gate) admit(r *http.Request) (code string) {
	now := g.cfg.Now()
	until, known := g.tokens[r.Header.Get(tokenHeader)]
	if !known || !now.Before(until) {
		return codeToken
	}
	if len(g.calls) == 0 {
		return ""
	}
	if oldest := g.calls[g.next]; !oldest.IsZero() && now.Sub(oldest) < time.Second {
		return codeThrottled
	}
	g.calls[g.next] = now
	g.next = (g.next + 1) % len(g.calls)
	return ""
}

// expireIn is the life of a token in whole seconds, as DingTalk tells it.
func (g *gate) expireIn() int64 { return int64(g.cfg.TokenLife / time.Second) }

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
func (s *Simulator) internalFlow(q question) reply {
	var body struct {
		AppKey    string `json:"appKey"`
		AppSecret string `json:"appSecret"`
	}
	if json.Unmarshal(q.body, &body) != nil {
		return fail("paramError")
	}
	if !same(body.AppKey, s.cfg.AppKey) || !same(body.AppSecret, s.cfg.AppSecret) {
		return fail("invalidClientIdOrSecret")
	}
	return okay(internalToken{s.gate.issue(), s.gate.expireIn()})
}

// corpFlow is POST /v1.0/oauth2/corpAccessToken.
func (s *Simulator) corpFlow(q question) reply {
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
	case !same(body.SuiteKey, s.cfg.SuiteKey), !same(body.SuiteSecret, s.cfg.SuiteSecret):
		return fail("invalidSuiteKey")
	case !same(body.SuiteTicket, s.cfg.SuiteTicket):
		return fail("invalidSuiteTicket")
	case body.AuthCorpID != s.cfg.CorpID:
		return fail("invalidAuthInfo")
	}
	return okay(internalToken{s.gate.issue(), s.gate.expireIn()})
}

// unifiedFlow is POST /v1.0/oauth2/{corpId}/token.
func (s *Simulator) unifiedFlow(q question) reply {
	var body struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		GrantType    string `json:"grant_type"`
	}
	if json.Unmarshal(q.body, &body) != nil || body.GrantType != "client_credentials" {
		return fail("paramError")
	}
	if !same(body.ClientID, s.cfg.AppKey) || !same(body.ClientSecret, s.cfg.AppSecret) {
		return fail("invalid.client")
	}
	if q.request.PathValue("corpId") != s.cfg.CorpID {
		return fail("unauthorized.client")
	}
	return okay(unifiedToken{s.gate.issue(), s.gate.expireIn()})
}
