//go:build unix

package browser_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rollcall/simulator"
)

// view is what somebody may look at, and on what.
type view struct {
	name          string // of its picture
	address       string
	width, height int64
	scheme        string // of colours
	ready         string // when it shows what it is for
}

const (
	rowsShown   = `document.querySelectorAll('.meetings tbody tr').length >= 6 && document.querySelector('.verdict.good')`
	peopleShown = `document.querySelectorAll('.bars .visit').length >= 5 && document.querySelector('.verdict.good')`
)

// TestEveryViewIsAccessible lets axe-core look at every view, and takes the
// pictures: ROLLCALL_SCREENSHOTS=/tmp/pictures .ci/browser -run View
func TestEveryViewIsAccessible(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 3, Meetings: 7, People: 12, Rate: 1.5})
	for i, title := range []string{"Design review", "周会", "Sprint planning", "产品评审会", "Customer call", "Budget 2027", "Berlin–杭州 stand-up"} {
		_, _ = s.sim.Act(simulator.Act{Verb: "rename", ConferenceID: s.sim.ConferenceIDs()[i], Title: title}) // refused where chance has called it so
	}
	meeting := s.url + "meeting/acme/" + s.sim.ConferenceIDs()[0]
	first := b.open(meeting)
	first.until("something has happened in the meeting", `document.querySelectorAll('.events tbody tr').length > 20`)
	for _, look := range []view{
		{"overview", s.url, 1360, 800, "light", rowsShown},
		{"overview-dark", s.url, 1360, 800, "dark", rowsShown},
		{"overview-chinese", s.url + "?lang=zh", 1360, 800, "light", rowsShown},
		{"overview-phone", s.url, 390, 844, "light", rowsShown},
		{"meeting", meeting, 1360, 800, "light", peopleShown},
		{"meeting-dark", meeting, 1360, 800, "dark", peopleShown},
		{"meeting-chinese", meeting + "?lang=zh", 1360, 800, "light", peopleShown},
		{"meeting-phone", meeting, 390, 844, "light", peopleShown},
		{"kiosk", s.url + "?kiosk", 1920, 1080, "light", rowsShown},
		{"kiosk-dark", s.url + "?kiosk", 1920, 1080, "dark", rowsShown},
		{"kiosk-chinese", s.url + "?kiosk&lang=zh", 1920, 1080, "light", rowsShown},
	} {
		v := b.open("about:blank", screen(look.width, look.height))
		v.prefer("prefers-color-scheme", look.scheme)
		v.do(chromedp.Navigate(look.address))
		v.until(look.name+" is there", look.ready)
		v.picture(look.name)
		v.axe(look.name)
		v.close()
	}
}

// axe demands that axe-core finds nothing.
func (v *tab) axe(name string) {
	v.t.Helper()
	code, err := os.ReadFile(os.Getenv("ROLLCALL_AXE"))
	if err != nil {
		v.t.Fatalf("axe-core: run .ci/browser: %v", err)
	}
	ask[bool](v, string(code)+"; true")
	found := ask[string](v, `axe.run().then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.help, ...v.nodes.slice(0, 3).map((n) => n.html + ' ' + n.failureSummary)])))`)
	var violations [][]string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		v.t.Fatal(err)
	}
	for _, violation := range violations {
		v.t.Errorf("%s: %s", name, strings.Join(violation, "\n  "))
	}
}
