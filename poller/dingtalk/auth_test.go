package dingtalk

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlows(t *testing.T) {
	tests := map[string]struct {
		auth         Auth
		path, answer string
		body         map[string]string
	}{
		"internal": {
			internalApp(), "/v1.0/oauth2/accessToken", `{"accessToken":"the-token","expireIn":3600}`,
			map[string]string{"appKey": "dingid", "appSecret": theSecret},
		},
		"corp": {
			Auth{Kind: KindCorp, CorpID: "corp/1", SuiteKey: "suite", SuiteSecret: fixed(theSecret), SuiteTicket: fixed("ticket")},
			"/v1.0/oauth2/corpAccessToken", `{"accessToken":"the-token","expireIn":"3600"}`,
			map[string]string{"suiteKey": "suite", "suiteSecret": theSecret, "authCorpId": "corp/1", "suiteTicket": "ticket"},
		},
		"unified": {
			Auth{Kind: KindUnified, CorpID: "corp/1", ClientID: "dingid", ClientSecret: fixed(theSecret)},
			"/v1.0/oauth2/corp%2F1/token", `{"access_token":"the-token","expires_in":3600}`,
			map[string]string{"client_id": "dingid", "client_secret": theSecret, "grant_type": "client_credentials"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
				var body map[string]string
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(test.body, body); diff != "" {
					t.Error(diff)
				}
				if r.Method != http.MethodPost || r.URL.EscapedPath() != test.path || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("asked %s %s, %v", r.Method, r.URL.EscapedPath(), r.Header)
				}
				if r.Header.Get("x-acs-dingtalk-access-token") != "" {
					t.Error("a token request carries a token")
				}
				_, _ = io.WriteString(w, test.answer)
			}, says(200, `{"infos":[]}`))
			fetch := client.exchange
			got, err := fetch.fetchToken(t.Context(), test.auth)
			if err != nil || got.value.Reveal() != "the-token" {
				t.Errorf("token %q: %v", got.value.Reveal(), err)
			}
			if life := time.Until(got.expires); life > time.Hour || life < 50*time.Minute {
				t.Errorf("it lives for %v", life)
			}
			noSecrets(t, s.logs)
		})
	}
}

func TestAuthNamesWhatIsMissing(t *testing.T) {
	tests := []struct {
		auth Auth
		want []string
	}{
		{Auth{}, []string{`auth kind "" is unknown: use internal, corp or unified`}},
		{Auth{Kind: "basic"}, []string{`auth kind "basic" is unknown`}},
		{Auth{Kind: KindInternal}, []string{"internal needs a client id", "internal needs a client secret"}},
		{Auth{Kind: KindCorp}, []string{"suite key", "suite secret", "suite ticket", "corp id"}},
		{Auth{Kind: KindUnified}, []string{"client id", "client secret", "corp id"}},
	}
	for _, test := range tests {
		_, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: test.auth})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", test.auth.Kind, err, want)
			}
		}
	}
}

func TestTokenLife(t *testing.T) {
	for field, want := range map[string]time.Duration{
		``: 2 * time.Hour, `,"expireIn":null`: 2 * time.Hour, `,"expireIn":"soon"`: 2 * time.Hour, `,"expireIn":0`: 2 * time.Hour,
		`,"expireIn":-1`: 2 * time.Hour, `,"expireIn":60.0`: time.Minute, `,"expires_in":"60"`: time.Minute, `,"expireIn":9223372036854775807`: 24 * time.Hour,
	} {
		if value, life := readToken([]byte(`{"accessToken":"a"` + field + `}`)); value != "a" || life != want {
			t.Errorf("%s: %q for %v", field, value, life)
		}
	}
}
