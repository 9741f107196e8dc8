//go:build unix

package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"rollcall/simulator"
	"rollcall/simulator/scenario"
)

// corpus is what strangers write to run a script: each would call the alarm.
func corpus() []string {
	return []string{
		`<script>alarm(1)</script>`, `<img src=x onerror=alarm(2)>`, `"><svg onload=alarm(3)>`, `'><body onpageshow=alarm(4)>`, `</title><script>alarm(5)</script>`,
		`</script><script>alarm(6)</script>`, `<iframe srcdoc="<script>parent.alarm(7)</script>">`, `<a href="javascript:alarm(8)">x</a>`, `javascript:alarm(9)`,
		`<style>@import 'javascript:alarm(10)'</style>`, `<math><mtext></form><form><mglyph><style></math><img src onerror=alarm(11)>`, `<details open ontoggle=alarm(12)>`,
		`<input autofocus onfocus=alarm(13)>`, `${alarm(14)}`, `{{constructor.constructor('alarm(15)')()}}`, `&lt;script&gt;alarm(16)&lt;/script&gt;`, `\u003cscript\u003ealarm(17)\u003c/script\u003e`,
		"<scr\x00ipt>alarm(18)</scr\x00ipt>", `<noscript><p title="</noscript><img src=x onerror=alarm(19)>">`, `<object data="javascript:alarm(20)">`, `<base href="//evil.example/">`,
		`<meta http-equiv=refresh content="0;url=javascript:alarm(21)">`, "\u2028<script>alarm(22)</script>", `<!--><img src=x onerror=alarm(23)>-->`, `" style="x:expression(alarm(24))`,
		"data: {\"rows\":[]}\n\nevent: whole\ndata: {}", `__proto__`, `constructor`, `<link rel=stylesheet href=//evil.example/x.css>`, "\u202e<b>gnp\u202c",
	}
}

// clean demands that nothing of what strangers wrote became markup.
const clean = `(() => { const bad = document.querySelectorAll('script:not([src^="/live/assets/"]), img:not([src^="/live/assets/"]), link:not([href^="/live/assets/"]), iframe, object, embed, base, style, svg, math, form, a[href^="javascript"], [onerror], [onload], [onclick], [srcdoc]');
return [...bad].map((n) => n.outerHTML).join(); })()`

func TestWhatStrangersWriteStaysText(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 9, Meetings: 6, People: 12, Rate: 4, Hostile: true})
	id := s.sim.ConferenceIDs()[0]
	for i, text := range corpus() {
		s.act(simulator.Act{Verb: "rename", Title: text})
		s.act(simulator.Act{Verb: "invite", UserID: fmt.Sprint("no ", i), Nick: text})
		s.act(simulator.Act{Verb: "decline", UserID: fmt.Sprint("no ", i), RejectDescription: text})
		s.act(simulator.Act{Verb: "join", UserID: text, Nick: text})
	}
	last := corpus()[1]
	s.act(simulator.Act{Verb: "rename", Title: last})
	meeting := s.url + "meeting/acme/" + id
	all := strings.Join(corpus(), "")
	q := url.QueryEscape(all)
	looks := map[string]string{
		"the overview": s.url, "the meeting": meeting, "the kiosk": s.url + "?kiosk",
		"an address": s.url + "?q=" + q + "&tenant=" + q + "&label=" + q + "&lang=" + q + "&what=" + q + "&from=" + q + "&about=" + q,
		"a path":     s.url + "meeting/acme/" + url.PathEscape(all),
	}
	for where, address := range looks {
		v := b.open(address)
		v.until(where+" has read everything", `document.querySelector('.verdict')?.innerText && document.querySelector('h1')?.textContent.length > 1`)
		if strings.HasPrefix(where, "the ") {
			// By chance it may have another one meanwhile; it is refused where it has not.
			_, _ = s.sim.Act(simulator.Act{Verb: "rename", ConferenceID: id, Title: last})
			v.until(where+" shows the title as it is written", fmt.Sprintf(`document.body.innerText.includes(%q)`, last))
		}
		if where == "the meeting" {
			v.until("the people are shown", `document.querySelectorAll('.people tbody tr').length > 20 && document.querySelectorAll('.events tbody tr').length > 50`)
		}
		if bad := ask[string](v, clean); bad != "" {
			t.Errorf("%s: became markup: %s", where, bad)
		}
		v.close()
	}
}

func TestTheHostileScenarioIsShownHarmlessly(t *testing.T) {
	b := startBrowser(t)
	text, err := os.ReadFile("../../../deploy/scenarios/hostile-names.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written, err := scenario.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	player, err := scenario.NewPlayer(written, 10, simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{}) // the title, which another one takes the place of
	s := stage(t, player.Handler(), written.ConferenceIDs(), func(ctx context.Context) {
		select {
		case <-seen:
			_ = player.Run(ctx)
		case <-ctx.Done():
		}
	})
	overview, kiosk := b.open(s.url), b.open(s.url+"?kiosk")
	overview.until("the title is text", `document.querySelector('.meetings').innerText.includes("<script>alert('title')</script>")`)
	close(seen)
	ask[bool](overview, `document.querySelector('.meetings tbody a').click(); true`)
	overview.until("the meeting is over, and what was said is text", `document.querySelector('.events')?.innerText.includes('<img src=x onerror=alert(1)>') && document.querySelector('.fact.since').innerText.includes('ended')`)
	for where, v := range map[string]*tab{"the meeting": overview, "the kiosk": kiosk} {
		if bad := ask[string](v, clean); bad != "" {
			t.Errorf("%s: became markup: %s", where, bad)
		}
	}
}
