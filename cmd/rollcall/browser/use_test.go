//go:build unix

package browser_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rollcall/simulator"
)

// A browser opens six connections to a server; here all tabs are seen at once.
func TestEightTabsLoadAndStayUpToDate(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 1, Meetings: 3, People: 5})
	var tabs []*tab
	for range 8 {
		tabs = append(tabs, b.open(s.url))
	}
	for _, title := range []string{"The first title", "The second title"} {
		s.act(simulator.Act{Verb: "rename", Title: title})
		for i, v := range tabs {
			v.until(fmt.Sprintf("tab %d says %q", i+1, title), fmt.Sprintf(`document.querySelector('.meetings').innerText.includes(%q) && document.querySelector('.verdict.good')`, title))
		}
	}
}

func TestReloadKeepsThePlace(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 2, Meetings: 40, People: 4})
	s.act(simulator.Act{Verb: "join", UserID: "mei-1", Nick: "Mei Lin"})
	v := b.open(s.url, screen(1200, 700))
	v.until("40 meetings are shown", `document.querySelectorAll('.meetings tbody tr').length === 40`)
	const inTheMiddle = `document.elementFromPoint(300, 400)?.closest('tr')?.querySelector('a').href`
	ask[bool](v, `scrollTo(0, 1000); true`)
	before := ask[string](v, inTheMiddle)
	v.do(chromedp.Reload())
	v.until("the place is the same", inTheMiddle+` === '`+before+`'`)

	v.press("/", "mei lin")
	v.until("Mei is found, and where", `document.querySelectorAll('.meetings tbody tr').length === 1 && document.querySelector('.found').innerText.includes('Mei Lin: present')`)
	ask[bool](v, `const what = document.querySelector('.feed select'); what.value = 'people'; what.dispatchEvent(new Event('change')); true`)
	v.do(chromedp.Reload())
	v.until("the filters are the same", `document.querySelectorAll('.meetings tbody tr').length === 1 && document.querySelector('#search').value === 'mei lin' && document.querySelector('.feed select').value === 'people'`)

	ask[bool](v, `document.querySelector('.meetings tbody a').click(); true`)
	opened := `document.querySelector('.people tbody')?.innerText.includes('Mei Lin')`
	v.until("the meeting is opened", opened)
	v.do(chromedp.Reload())
	v.until("the meeting is still opened", opened)
	ask[bool](v, `history.back(); true`)
	v.until("back are the filters", `document.querySelector('#search')?.value === 'mei lin' && document.querySelectorAll('.meetings tbody tr').length === 1`)
}

// The feed holds still while it is read, and a page that was cut off is told
// what it has missed, once.
func TestTheFeedHoldsStillAndMissesNothing(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 4, Meetings: 2, People: 3})
	v := b.open(s.url)
	v.until("the feed is there", `document.querySelector('.log li')`)
	join := func(nick string) { s.act(simulator.Act{Verb: "join", UserID: "id-" + nick, Nick: nick}) }
	count := func(nick string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.log li')].filter((n) => n.innerText.includes('%s joined')).length`, nick)
	}
	join("Before")
	v.until("what happens is shown", count("Before")+" === 1")
	ask[bool](v, `document.querySelector('.log').focus(); true`)
	join("Held")
	join("Back")
	v.until("it says how many are new", `document.querySelector('.new').checkVisibility() && parseInt(document.querySelector('.new').innerText) >= 2`)
	if n := ask[int](v, count("Held")); n != 0 {
		t.Error("the feed moves under the focus")
	}
	ask[bool](v, `document.activeElement.blur(); true`)
	v.until("it goes on", count("Held")+" === 1 && "+count("Back")+" === 1")

	s.console.signal(syscall.SIGSTOP)
	v.until("the stream is cut", `document.querySelector('.verdict.bad')`)
	join("Meanwhile")
	s.console.signal(syscall.SIGCONT)
	v.until("what it missed is told", count("Meanwhile")+" === 1 && document.querySelector('.verdict.good')")
	for _, nick := range []string{"Before", "Held", "Back", "Meanwhile"} {
		if n := ask[int](v, count(nick)); n != 1 {
			t.Errorf("%s joined %d times", nick, n)
		}
	}
}

// reachable are the things that can be used, without what is not seen.
const reachable = `const all = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter((n) => n.checkVisibility());
const visited = new Set();
document.addEventListener('focusin', (e) => visited.add(e.target));
window.unvisited = () => all.filter((n) => n.checkVisibility() && n.isConnected && !visited.has(n)).map((n) => n.outerHTML.slice(0, 120));
window.unseen = () => { const s = getComputedStyle(document.activeElement); return s.outlineStyle === 'none' || s.outlineWidth === '0px'; };`

func TestEverythingWorksByKeyboard(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 6, Meetings: 2, People: 3})
	s.act(simulator.Act{Verb: "join", UserID: "mei-1", Nick: "Mei Lin"})
	v := b.open(s.url)
	v.until("the page is there", `document.querySelectorAll('.meetings tbody tr').length === 2 && document.querySelector('.log').innerText.includes('Mei Lin joined')`)
	walk(v)

	v.press("/")
	if at := ask[string](v, `document.activeElement.id`); at != "search" {
		t.Errorf("/ leads to %q, and not to the search", at)
	}
	v.press("mei")
	v.until("one meeting is found", `document.querySelectorAll('.meetings tbody tr').length === 1`)
	v.press(kb.Escape)
	v.until("Escape takes the search away", `document.querySelectorAll('.meetings tbody tr').length === 2`)
	v.press("mei")
	v.until("one meeting is found again", `document.querySelectorAll('.meetings tbody tr').length === 1`)
	for range 10 {
		if ask[bool](v, `document.activeElement.matches('.meetings tbody a')`) {
			break
		}
		v.press(kb.Tab)
	}
	v.press(kb.Enter)
	v.until("Enter opens the meeting", `location.pathname.startsWith('/meeting/') && document.querySelector('.people tbody')?.innerText.includes('Mei Lin')`)
	walk(v)

	v.do(chromedp.Navigate(s.url))
	v.until("the charts' head is there", `document.querySelector('.charts summary')`)
	ask[bool](v, `document.querySelector('.charts summary').focus(); true`)
	v.press(kb.Enter)
	v.until("Enter opens the charts", `document.querySelector('.charts').open`)
}

// walk goes through the page with the tabulator: everything is come by, and
// one sees where one is.
func walk(v *tab) {
	v.t.Helper()
	ask[bool](v, reachable+"; true")
	for range 400 {
		v.press(kb.Tab)
		if ask[bool](v, `document.activeElement !== document.body && unseen()`) {
			v.t.Errorf("the focus cannot be seen on %s", ask[string](v, `document.activeElement.outerHTML.slice(0, 120)`))
		}
		if ask[int](v, `unvisited().length`) == 0 {
			return
		}
	}
	v.t.Errorf("not reached by the keyboard: %s", strings.Join(ask[[]string](v, `unvisited()`), "\n"))
}

// The kiosk pages by itself, stops at the space bar, and reloads itself when
// another version serves.
func TestTheKioskFitsTheScreenAndReloads(t *testing.T) {
	b := startBrowser(t)
	s := play(t, simulator.Config{Seed: 8, Meetings: 30, People: 5})
	v := b.open(s.url+"?kiosk", screen(1280, 720))
	v.until("it has pages", `document.querySelector('.pages').innerText.startsWith('page 1 of')`)
	if ask[bool](v, `document.documentElement.scrollHeight > innerHeight || [...document.querySelectorAll('.meetings tbody tr')].some((n) => n.checkVisibility() && n.getBoundingClientRect().bottom > innerHeight)`) {
		t.Error("it does not fit the screen")
	}
	if controls := ask[[]string](v, `[...document.querySelectorAll('a[href]:not(.meetings a, .name), button, input, select')].filter((n) => n.checkVisibility()).map((n) => n.outerHTML)`); len(controls) != 0 {
		t.Errorf("it has controls: %s", controls)
	}
	v.press(" ")
	ask[bool](v, `window.pages = () => document.querySelector('.pages').innerText.match(/\d+/g).map(Number), window.held = pages(), true`)
	v.press(kb.ArrowRight)
	v.until("it turns by the arrow though it is held", `pages()[0] === held[0] % held[1] + 1`)
	ask[bool](v, `window.before = true; import('/live/assets/app/model.js').then((m) => { m.model.version = 'older'; return true; })`)
	s.console.signal(syscall.SIGSTOP)
	v.until("the stream is cut", `document.querySelector('.verdict.bad')`)
	s.console.kill()
	s.serve(s.address())
	v.until("it has reloaded itself", `!window.before && document.querySelector('.verdict.good')`)
}
