package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Kind names the way to a token.
type Kind string

// The kinds of [Auth].
const (
	KindInternal Kind = "internal" // an organization's own app
	KindCorp     Kind = "corp"     // a third-party app that an organization has installed
	KindUnified  Kind = "unified"  // the newer way, for both
)

// Auth says who the tenant's app is. Each kind needs some of the fields and
// ignores the others: internal ClientID and ClientSecret; unified these and
// CorpID; corp SuiteKey, SuiteSecret, SuiteTicket and CorpID.
type Auth struct {
	Kind         Kind
	ClientID     string // the AppKey
	ClientSecret Secret
	CorpID       string // the organization
	SuiteKey     string
	SuiteSecret  Secret
	SuiteTicket  Secret // DingTalk pushes a new one every five hours
}

// flow is how one kind asks for a token: what stands in the body under which name.
type flow struct {
	path    string // %s: the escaped CorpID
	fixed   map[string]string
	texts   []flowText
	secrets []flowSecret
}

type flowText struct {
	key, label string
	of         func(Auth) string
}

type flowSecret struct {
	key, label string
	of         func(Auth) Secret
}

func corpID(a Auth) string { return a.CorpID }

// flows holds the ways to a token.
var flows = map[Kind]flow{
	KindInternal: {
		path:    "/v1.0/oauth2/accessToken",
		texts:   []flowText{{"appKey", "client id", func(a Auth) string { return a.ClientID }}},
		secrets: []flowSecret{{"appSecret", "client secret", func(a Auth) Secret { return a.ClientSecret }}},
	},
	KindCorp: {
		path: "/v1.0/oauth2/corpAccessToken",
		texts: []flowText{
			{"suiteKey", "suite key", func(a Auth) string { return a.SuiteKey }},
			{"authCorpId", "corp id", corpID},
		},
		secrets: []flowSecret{
			{"suiteSecret", "suite secret", func(a Auth) Secret { return a.SuiteSecret }},
			{"suiteTicket", "suite ticket", func(a Auth) Secret { return a.SuiteTicket }},
		},
	},
	KindUnified: {
		path:  "/v1.0/oauth2/%s/token",
		fixed: map[string]string{"grant_type": "client_credentials"},
		texts: []flowText{
			{"client_id", "client id", func(a Auth) string { return a.ClientID }},
			{"", "corp id", corpID}, // stands in the path
		},
		secrets: []flowSecret{{"client_secret", "client secret", func(a Auth) Secret { return a.ClientSecret }}},
	},
}

// validate reports everything that the kind needs and that is missing.
func (a Auth) validate() error {
	flow, known := flows[a.Kind]
	if !known {
		return fmt.Errorf("auth kind %q is unknown: use internal, corp or unified", a.Kind)
	}
	var missing []error
	for _, t := range flow.texts {
		if t.of(a) == "" {
			missing = append(missing, fmt.Errorf("auth kind %s needs a %s", a.Kind, t.label))
		}
	}
	for _, s := range flow.secrets {
		if s.of(a) == nil {
			missing = append(missing, fmt.Errorf("auth kind %s needs a %s", a.Kind, s.label))
		}
	}
	return errors.Join(missing...)
}

func (a Auth) path() string {
	if a.Kind != KindUnified {
		return flows[a.Kind].path
	}
	return fmt.Sprintf(flows[a.Kind].path, escapeSegment(a.CorpID))
}

// body returns the token request as JSON, with the secrets read just now and made
// known to the redactor.
func (a Auth) body(r *redactor) ([]byte, error) {
	flow := flows[a.Kind]
	body := make(map[string]string)
	for key, value := range flow.fixed {
		body[key] = value
	}
	for _, t := range flow.texts {
		if t.key != "" {
			body[t.key] = t.of(a)
		}
	}
	for _, s := range flow.secrets {
		value, err := s.of(a)()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.label, err)
		}
		if value.Empty() {
			return nil, fmt.Errorf("%s: it is empty", s.label)
		}
		r.hide(value.Reveal())
		body[s.key] = value.Reveal()
	}
	return json.Marshal(body)
}

// escapeSegment writes any text as one segment of a path, also the two that
// would mean a folder.
func escapeSegment(s string) string {
	switch s {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return url.PathEscape(s)
}
