package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/cmd/rollcall/config"
)

// Targets are tried without a message: their secrets, their templates, and whether
// anything is told to them. No address is shown.
func TestTargetsAreTried(t *testing.T) {
	for name, c := range map[string]struct {
		address, template string
		routed            bool
		verdict           Verdict
		found             string
	}{
		"fine":             {"https://oapi.dingtalk.com/robot/send?access_token=hunter2", `{{define "title"}}x{{end}}`, true, OK, "1 robots"},
		"not routed":       {"https://oapi.dingtalk.com/robot/send?access_token=hunter2", "", false, Warn, "nobody tells it"},
		"an open address":  {"http://oapi.dingtalk.com/robot/send?access_token=hunter2", "", true, Fail, "https"},
		"half an address":  {"https://oapi.dingtalk.com/robot/send?hunter2", "", true, Fail, "access_token"},
		"no address":       {"", "", true, Fail, "empty"},
		"a wrong template": {"https://oapi.dingtalk.com/robot/send?access_token=hunter2", `{{define "title"}}{{.Nothing}}{{end}}`, true, Fail, "Nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			target := config.TargetDefaults()
			target.Name, target.Kind, target.URLFile = "team", "dingtalk", w.file(t, "robot", c.address)
			if c.template != "" {
				target.Templates = filepath.Join(w.dir, "templates")
				if err := os.Mkdir(target.Templates, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(target.Templates, "own.tmpl"), []byte(c.template), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w.cfg.Forward.Targets = []config.ForwardTarget{target}
			if c.routed {
				route := config.RouteDefaults()
				route.Targets = []string{"team"}
				w.cfg.Forward.Routes = []config.ForwardRoute{route}
			}
			one := Check{Config: w.cfg}
			got := one.forwarded().steps[0].try(t.Context())
			if got.Verdict != c.verdict || !strings.Contains(got.Found, c.found) {
				t.Errorf("%+v", got)
			}
			if strings.Contains(got.Found+got.Tried+got.Fix, "hunter2") {
				t.Errorf("the address shows in %+v", got)
			}
		})
	}
}
