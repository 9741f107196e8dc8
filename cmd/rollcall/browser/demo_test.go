//go:build unix

package browser_test

import "testing"

func TestTheDemosMeetingsAppearAndChange(t *testing.T) {
	b := startBrowser(t)
	demo := launch(t, "demo", "demo", "--seed", "7")
	v := b.open(demo.says(`page +(http://\S+)`))
	v.until("three meetings are shown", `document.querySelectorAll('.meetings tbody tr').length >= 3`)
	v.until("they are up to date", `document.querySelector('.verdict.good')?.innerText.startsWith('✓')`)
	v.until("what happens is told", `document.querySelector('.log').innerText.includes('Mei joined')`)
	before := ask[string](v, `window.before = document.querySelector('.meetings tbody').innerText`)
	v.until("numbers change", `[...document.querySelectorAll('td.present, td.mics')].map((n) => n.innerText).join() !== `+
		`(window.first ??= [...document.querySelectorAll('td.present, td.mics')].map((n) => n.innerText).join())`)
	if before == "" {
		t.Error("the table is empty")
	}
	v.picture("demo")
}
