//go:build unix

package endtoend_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rollcall/poller/dingtalk"
	"rollcall/simulator"
)

// nowhere is a network in which a host has no address.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
}

// silence is a DingTalk that gives tokens, and answers all else with a success
// that holds this body.
type silence string

func (s silence) RoundTrip(r *http.Request) (*http.Response, error) {
	body := string(s)
	if strings.HasPrefix(r.URL.Path, "/v1.0/oauth2/") {
		body = `{"accessToken":"a-token","expireIn":7200}`
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// TestTroubleIsOneSentence demands that what an operator has to fix is said
// once in ten minutes, in one line that tells how, and shown in the status.
func TestTroubleIsOneSentence(t *testing.T) {
	fault := func(name string, op simulator.Operation) func(*sky) {
		return func(s *sky) {
			sim := s.organization("acme", simulator.Config{Seed: 1})
			if err := sim.Arm(simulator.Fault{Name: name, Operation: op}); err != nil {
				t.Fatal(err)
			}
		}
	}
	silent := func(body string) func(*sky) {
		return func(s *sky) {
			s.tenant("acme", []string{"m1", "m2"}, dingtalk.Config{
				Endpoint: "https://api.dingtalk.io", Transport: silence(body),
				Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: "id", ClientSecret: kept("a secret")},
			})
		}
	}
	for name, c := range map[string]struct {
		make  func(*sky)
		state string
		says  []string
	}{
		"wrong secret": {
			fault("invalidClientIdOrSecret", simulator.OpToken), "auth",
			[]string{"get token: token: HTTP 400, code invalidClientIdOrSecret", "request id", "check the app's id and secret"},
		},
		"missing permission": {
			fault(permissionDenied, simulator.OpQuery), "auth",
			[]string{"missing permission VideoConference.Conference.Read", "an administrator grants it in the DingTalk developer console"},
		},
		"quota used up": {
			fault("Forbidden.AccessDenied.ApiCountLimitForOrg", simulator.OpQuery), "quota",
			[]string{"are used up", "wait for the next one or buy more", "SIGHUP"},
		},
		"an unknown code with HTTP 200": {
			silent(`{"code":"serviceBusy","message":"try later","requestid":"REQ-1"}`), "away",
			[]string{"query meetings: transient: HTTP 200, code serviceBusy, request id REQ-1", "try later"},
		},
		"no success with HTTP 200": {
			silent(`{"success":false,"errorCode":"50001","errorMsg":"internal error","requestId":"REQ-2"}`), "away",
			[]string{"HTTP 200, code 50001, request id REQ-2", "internal error"},
		},
		"the old style with HTTP 200": {
			silent(`{"errcode":88,"errmsg":"ding talk error[subcode=60011]","sub_code":"60011","request_id":"REQ-3"}`), "auth",
			[]string{"permission: HTTP 200, code 88 (60011), request id REQ-3", "an administrator grants it"},
		},
		"no list with HTTP 200": {
			silent(`{}`), "away",
			[]string{"malformed: HTTP 200: the answer holds no list of meetings"},
		},
		"wrong host": {
			func(s *sky) {
				s.tenant("acme", []string{"m1"}, dingtalk.Config{
					Endpoint: "https://api.dingtalk.example", Transport: nowhere{},
					Auth: dingtalk.Auth{Kind: dingtalk.KindInternal, ClientID: "id", ClientSecret: kept("a secret")},
				})
			}, "away",
			[]string{"no answer from api.dingtalk.example", "no such host", "check the host of the tenant's endpoint"},
		},
		"expired suite ticket": {
			func(s *sky) {
				sim, err := simulator.New(simulator.Config{Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				wire := simulator.NewWire(sim.Handler())
				s.tenant("acme", sim.ConferenceIDs(), dingtalk.Config{
					Endpoint: "http://127.0.0.1", Transport: wire.Client().Transport,
					Auth: dingtalk.Auth{
						Kind: dingtalk.KindCorp, CorpID: simulator.DefaultCorpID, SuiteKey: simulator.DefaultSuiteKey,
						SuiteSecret: kept(simulator.DefaultSuiteSecret), SuiteTicket: kept("an old ticket"),
					},
				})
				s.closed = append(s.closed, wire.Close)
			}, "auth",
			[]string{"code invalidSuiteTicket", "check that the newest suite ticket is in its file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inSky(t, func(s *sky) {
				c.make(s)
				s.start()
				letPass(10 * time.Minute)
				said := ""
				for _, line := range s.logs.FilterMessage("polling fails").All() {
					said, _ = line.ContextMap()["error"].(string)
				}
				if n := s.logs.Len(); n != 2 { // the other one: shard claimed
					t.Errorf("%d lines were logged: %v", n, s.logs.All())
				}
				for _, want := range c.says {
					if !strings.Contains(said, want) {
						t.Errorf("%q is not said: %s", want, said)
					}
				}
				messages := s.below("meetings.status.acme")
				status, err := decode[struct{ State string }](messages[len(messages)-1].data)
				if err != nil || status.State != c.state {
					t.Errorf("the status is %v: %v", status, err)
				}
				t.Log(said)
				s.clear()
			})
		})
	}
}
