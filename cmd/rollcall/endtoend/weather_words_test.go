//go:build unix

package endtoend_test

import (
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

// TestTroubleIsOneSentence demands that what an operator has to mend is said
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
