//go:build unix

package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is the longest that anything is waited for. It is no measure of how
// fast anything is.
const patience = 90 * time.Second

// browser is a Chromium with an empty profile, for one test.
type browser struct {
	t   testing.TB
	ctx context.Context
}

// startBrowser skips where .ci/browser has not named a Chromium.
func startBrowser(t testing.TB) *browser {
	t.Helper()
	path := os.Getenv("ROLLCALL_BROWSER")
	if path == "" {
		t.Skip("needs a browser: run .ci/browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &browser{t, ctx}
}

// tab is a page in the browser. At the end of the test nothing may have gone
// wrong in it: no error, no dialog, no report of CSP or Trusted Types.
type tab struct {
	t   testing.TB
	ctx context.Context
	// close closes the tab, which the end of the test does too.
	close context.CancelFunc

	mu    sync.Mutex
	wrong []string
}

// witness keeps what the page itself is told of violations, and an alarm for
// scripts of strangers.
const witness = `addEventListener('securitypolicyviolation', (e) => console.error('violation', e.violatedDirective, e.blockedURI, e.sample));
window.alarm = (what) => console.error('a script of a stranger ran', what);`

// open shows an address in a new tab, after what the steps set.
func (b *browser) open(url string, first ...chromedp.Action[chromedp.Void]) *tab {
	b.t.Helper()
	v := &tab{t: b.t}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(v.heard))
	v.ctx, v.close = ctx, cancel
	b.t.Cleanup(func() {
		cancel()
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, text := range v.wrong {
			b.t.Errorf("%s: %s", url, text)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // without a limit, which would be that of the tab
		b.t.Fatal(err)
	}
	tell(v, log.Enable, cdp.Empty{})
	tell(v, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: witness})
	v.do(first...)
	v.do(chromedp.Navigate(url))
	return v
}

// heard takes everything that must not happen.
func (v *tab) heard(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text + " " + e.ExceptionDetails.Exception.Description
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			text = fmt.Sprint(e.Type)
			for _, arg := range e.Args {
				text += " " + string(arg.Value)
			}
		}
	case *log.EventEntryAdded: // a server that was taken away is no error of the page
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			text = e.Entry.Text
		}
	case *page.EventJavascriptDialogOpening:
		text = "a dialog: " + e.Message
	}
	if text == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wrong = append(v.wrong, text)
}

// within returns a context for one step in the tab.
func (v *tab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(v.ctx, patience)
}

func (v *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := v.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.t.Fatal(err)
	}
}

// tell sends a command of the protocol and returns its answer.
func tell[P, R any](v *tab, command cdp.Command[P, R], params P) R {
	v.t.Helper()
	ctx, cancel := v.within()
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer
}

// ask returns what an expression is worth in the page; a promise is awaited.
func ask[T any](v *tab, expression string) T {
	v.t.Helper()
	ctx, cancel := v.within()
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits until an expression is true in the page, which may be another one
// by then.
func (v *tab) until(what, expression string) {
	v.t.Helper()
	ctx, cancel := v.within()
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			v.t.Fatalf("waited in vain: %s (%v)\n%s", what, err, ask[string](v, `document.body.innerText.slice(0, 1500)`))
		}
	}
}

// press types keys, one after the other.
func (v *tab) press(keys ...string) {
	v.t.Helper()
	for _, key := range keys {
		v.do(chromedp.KeyEvent(key))
	}
}

// screen is what the page is shown on.
func screen(width, height int64) chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(width, height)
}

// prefer sets what whoever looks prefers: prefers-color-scheme, dark.
func (v *tab) prefer(name, value string) {
	v.t.Helper()
	tell(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
}

// picture keeps what the screen shows, where ROLLCALL_SCREENSHOTS names a folder.
func (v *tab) picture(name string) {
	v.t.Helper()
	folder := os.Getenv("ROLLCALL_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := v.within()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644)
	}
	if err != nil {
		v.t.Fatal(err)
	}
}
