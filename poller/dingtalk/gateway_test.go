package dingtalk

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/secret"
	"rollcall/poller"
)

func app() Secret {
	return func() (secret.String, error) { return secret.New("secret of the app"), nil }
}

func TestTheGatewayIsAskedAsDingTalkWantsIt(t *testing.T) {
	client, s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var asked gatewayRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &asked)
		}
		if err != nil || asked.ClientID != "key" || asked.ClientSecret != "secret of the app" || len(asked.Subscriptions) != 1 ||
			asked.Subscriptions[0] != (subscription{"EVENT", "*"}) || r.URL.Path != "/v1.0/gateway/connections/open" || r.Method != http.MethodPost {
			t.Errorf("%s %s asks %s: %v", r.Method, r.URL.Path, body, err)
		}
		_, _ = io.WriteString(w, `{"endpoint":"wss://wss.dingtalk.example:443/connect","ticket":"the-ticket"}`)
	})
	endpoint, ticket, err := Gateway{Client: client, ClientID: "key", Secret: app()}.Open(t.Context())
	if err != nil || endpoint != "wss://wss.dingtalk.example:443/connect" || ticket.Reveal() != "the-ticket" {
		t.Errorf("%s, %s, %v", endpoint, ticket.Reveal(), err)
	}
	for _, entry := range s.logs.All() {
		if text := entry.Message; strings.Contains(text, "the-ticket") || strings.Contains(text, "secret of the app") {
			t.Errorf("the log shows %s", text)
		}
	}
}

func TestWhatTheGatewayRefuses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		class  poller.Class
		says   string
	}{
		{400, `{"code":"invalidClientIdOrSecret","message":"secret of the app"}`, poller.ClassToken, "Credentials"},
		{401, `{"code":"authFailed","message":"m"}`, poller.ClassToken, "Credentials"},
		{403, `{"code":"noPermission","message":"m"}`, poller.ClassPermission, "Stream mode"},
		{403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","message":"m"}`, poller.ClassPermission, "Stream mode"},
		{503, `{"code":"ServiceUnavailable"}`, poller.ClassTransient, "try again later"},
		{200, `{"endpoint":"wss://e"}`, poller.ClassMalformed, "no endpoint with a ticket"},
		{200, `{"ticket":"t"}`, poller.ClassMalformed, "no endpoint with a ticket"},
		{200, `{"endpoint":"wss://e","ticket":"has blanks"}`, poller.ClassMalformed, "no endpoint with a ticket"},
		{200, `[`, poller.ClassMalformed, "no endpoint with a ticket"},
	} {
		client, _ := serve(t, says(c.status, c.body))
		_, _, err := Gateway{Client: client, ClientID: "key", Secret: app()}.Open(t.Context())
		if poller.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret of the app") {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

func TestASecretThatCannotBeReadOpensNoGateway(t *testing.T) {
	client, s := serve(t, says(200, `{}`))
	_, _, err := Gateway{Client: client, ClientID: "key", Secret: FileSecret("nowhere")}.Open(t.Context())
	if poller.ClassOf(err) != poller.ClassToken || s.calls != 0 {
		t.Errorf("%d calls, %v", s.calls, err)
	}
}
