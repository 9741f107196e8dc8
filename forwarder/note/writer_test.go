package note

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

func writer(t *testing.T, language string, own map[string]string) *Writer {
	t.Helper()
	w, err := newWriter(language, own)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newWriter(language string, own map[string]string) (*Writer, error) {
	if own == nil {
		return NewWriter(language, time.UTC, nil)
	}
	files := fstest.MapFS{}
	for name, text := range own {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return NewWriter(language, time.UTC, files)
}

// A template of one's own replaces the default of its name, and no other.
func TestOwnTemplates(t *testing.T) {
	kick := Samples(Single)[0]
	for _, c := range []struct {
		name string
		own  map[string]string
		want string
	}{
		{"a file of the name", map[string]string{"participant.kicked_out.tmpl": "{{.Subject}} is out"}, "Weekly review: Mei is out"},
		{"a definition", map[string]string{"ours.tmpl": `{{define "participant.kicked_out"}}out: {{.Subject}}{{end}}`}, "Weekly review: out: Mei"},
		{"with a helper", map[string]string{"a.tmpl": `{{define "us"}}US{{end}}`, "title.tmpl": `{{template "us"}}{{with .Meeting}} {{.Name}}{{end}}`}, "US Weekly review"},
		{"of another kind", map[string]string{"digest.tmpl": "", "count.left.tmpl": "gone: {{.N}}"}, "Weekly review: Mei was removed by the host"},
		{"a label", map[string]string{"title.tmpl": "{{with .Meeting}}{{.Labels.team}}{{.ID}}{{end}}"}, "6f1a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if title, _, err := writer(t, "en", c.own).Write(kick, Plain{}); err != nil || title != c.want {
				t.Errorf("%q, %v; want %q", title, err, c.want)
			}
		})
	}
}

// A mistake is found before anything is sent, and names the file and the line,
// and what there is.
func TestMistakesInTemplates(t *testing.T) {
	for _, c := range []struct {
		name string
		own  map[string]string
		want []string
	}{
		{"a field", map[string]string{"body.tmpl": "{{.Kind}}\n{{.Titel}}"}, []string{"body.tmpl:2:", "Titel", ".Meetings", ".LastOfMonth"}},
		{"a field of a part", map[string]string{"x.tmpl": "\n{{define \"participant.left\"}}{{.Name}}{{end}}"}, []string{"x.tmpl:2:", ".Subject", ".Reason"}},
		{"a field of a time", map[string]string{"when.tmpl": "{{with .}}{{.Hour}}{{end}}"}, []string{"when.tmpl:1:", ".From", ".To"}},
		{"a function", map[string]string{"title.tmpl": "{{shout .Kind}}"}, []string{"title.tmpl:1:", "shout", "plural"}},
		{"syntax", map[string]string{"title.tmpl": "\n\n{{if}}"}, []string{"title.tmpl:3:"}},
		{"a name", map[string]string{"kicked.tmpl": "out"}, []string{"kicked.tmpl", `"kicked"`, "participant.kicked_out"}},
		{"a name that is defined", map[string]string{"x.tmpl": `{{define "count.leaves"}}{{end}}{{define "count.joins"}}+{{end}}`}, []string{"x.tmpl", "count.left"}},
		{"a template that is not there", map[string]string{"title.tmpl": `{{render "nobody" .}}`}, []string{"title.tmpl:1:", "nobody"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newWriter("en", c.own)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	if _, err := newWriter("fr", nil); err == nil || !strings.Contains(err.Error(), "en, zh") {
		t.Error(err)
	}
}

// A mistake that only a day's note shows keeps nothing back.
func TestAMistakeKeepsNothingBack(t *testing.T) {
	w := writer(t, "en", map[string]string{"title.tmpl": `{{if gt .Cut 5}}{{index .Meetings 99}}{{end}}ours`})
	n := Samples(Single)[0]
	if title, _, err := w.Write(n, Plain{}); title != "ours" || err != nil {
		t.Errorf("%q, %v", title, err)
	}
	n.Account.Cut = 6
	if title, body, err := w.Write(n, Plain{}); err == nil || !strings.Contains(title, "Mei") || body == "" {
		t.Errorf("%q, %q, %v", title, body, err)
	}
}

// Both languages have words for the same, and for every type and reason.
func TestBothLanguagesSayTheSame(t *testing.T) {
	names := map[string][]string{}
	for _, language := range Languages() {
		w := writer(t, language, nil)
		names[language] = namesOf(w.templates)
		for _, k := range append(rollcall.Types(), "unknown") {
			if w.templates.Lookup(string(k)) == nil {
				t.Errorf("%s has no words for %s", language, k)
			}
		}
		for _, c := range categories() {
			if w.templates.Lookup("count."+c.name) == nil {
				t.Errorf("%s has no words for a number of %s", language, c.name)
			}
		}
		for _, reason := range rollcall.WatchReasons() {
			n := watchSample(rollcall.WatchLost)
			n.Watches[0].Reason = reason
			if _, body, _ := w.Write(n, Plain{}); strings.Contains(body, ": "+string(reason)+".") {
				t.Errorf("%s has no words for the reason %s", language, reason)
			}
		}
	}
	if !slices.Equal(names["en"], names["zh"]) {
		t.Errorf("%v\n%v", names["en"], names["zh"])
	}
}

func TestEveryTypeHasACategory(t *testing.T) {
	in := map[rollcall.Type]int{}
	for _, c := range categories() {
		for _, k := range c.types {
			in[k]++
		}
	}
	want := map[rollcall.Type]int{rollcall.WatchLost: 1, rollcall.WatchResumed: 1}
	for _, k := range rollcall.Types() {
		want[k] = 1
	}
	if !maps.Equal(in, want) {
		t.Errorf("%v", in)
	}
}

// However a template prints what a stranger wrote, the markup has escaped it,
// and no escape is cut.
func TestATemplateCannotForgetToEscape(t *testing.T) {
	for _, action := range []string{
		`{{.Subject}}`, `{{printf "%s" .Subject}}`, `{{printf "%.3s|%-40v|%d|%x|%#v|%q" .Subject .Subject .Subject .Subject .Subject .Subject}}`,
		`{{print .Subject .Title .Why}}`, `{{bold .Subject}}`, `{{join ", " .Subject .Why}}`, `{{html .Subject}}`, `{{js .Title}}`, `{{.}}`, `{{printf "%+v" .}}`,
		`{{index .Subject 0}}`, `{{urlquery .Subject}}`,
	} {
		w, err := newWriter("en", map[string]string{"line.tmpl": action})
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		_, body, err := w.Write(severalChanges(Hostile, Hostile).note("", 0), fenced{})
		if err != nil {
			t.Errorf("%s: %v", action, err)
		}
		for _, raw := range []string{"@", "<at", "[x]", "**", "`"} {
			if strings.Contains(body, raw) {
				t.Errorf("%s lets %s through: %s", action, raw, body)
			}
		}
	}
}

// Cutting what is escaped would cut an escape in half.
func TestEscapesAreNotCut(t *testing.T) {
	if _, err := newWriter("en", map[string]string{"line.tmpl": `{{slice .Subject 0 3}}`}); err == nil || !strings.Contains(err.Error(), "line.tmpl:1") {
		t.Error(err)
	}
}

// fenced is a markup that shows of a stranger's text only its letters.
type fenced struct{ Plain }

func (fenced) Text(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("@[]()<>*`!", r) {
			return '_'
		}
		return r
	}, s)
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	at := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, time.November, day, hour, minute, second, 0, zone)
	}
	now := at(23, 10, 5, 0)
	for _, c := range []struct {
		after, before time.Time
		en, zh        string
	}{
		{at(23, 10, 4, 1), at(23, 10, 4, 59), "at 10:04", "10:04"},
		{at(23, 10, 4, 50), at(23, 10, 5, 5), "between 10:04 and 10:05", "10:04 至 10:05 之间"},
		{time.Time{}, at(23, 10, 5, 5), "before 10:05", "10:05 之前"},
		{at(22, 10, 4, 50), at(22, 10, 5, 5), "on 22 Nov between 10:04 and 10:05", "11月22日 10:04 至 10:05 之间"},
		{at(22, 23, 59, 50), at(23, 0, 0, 5), "between 22 Nov 23:59 and 00:00", "11月22日 23:59 至 00:00 之间"},
		{time.Time{}, at(22, 10, 5, 5), "on 22 Nov before 10:05", "11月22日 10:05 之前"},
		{at(1, 0, 0, 0).AddDate(-1, 0, 0), at(1, 0, 0, 1).AddDate(-1, 0, 0), "on 1 Nov 2025 at 00:00", "2025年11月1日 00:00"},
	} {
		for language, want := range map[string]string{"en": c.en, "zh": c.zh} {
			w := writer(t, language, nil)
			v := clock{zone, w.day, w.year, now}
			mine, err := w.templates.Clone()
			if err != nil {
				t.Fatal(err)
			}
			mine.Funcs(w.functions(mine, Plain{}))
			got, err := execute(mine, "when", v.span(rollcall.Window{After: c.after, Before: c.before}))
			if err != nil || strings.TrimSpace(got) != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
	}
}

func TestStays(t *testing.T) {
	for _, c := range []struct {
		least, most time.Duration
		want        string
	}{
		{58 * time.Minute, 58*time.Minute + 20*time.Second, "58 min"},
		{0, 20 * time.Second, "less than a minute"},
		{59*time.Minute + 50*time.Second, 60 * time.Minute, "1 h"},
		{60 * time.Minute, 80 * time.Minute, "1 h to 1 h 20 min"},
		{10 * time.Minute, 20 * time.Minute, "10 to 20 min"},
		{0, 20 * time.Minute, "0 to 20 min"},
		{20 * time.Minute, -1, "at least 20 min"},
	} {
		w := writer(t, "en", nil)
		mine, _ := w.templates.Clone()
		mine.Funcs(w.functions(mine, Plain{}))
		if got, err := execute(mine, "stay", stayOf(c.least, c.most)); err != nil || strings.TrimSpace(got) != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, s := range []string{"", "abc", strings.Repeat("长", 50), "a\xff", " a ", strings.Repeat("x", 100)} {
		got := clip(s, 10)
		if n := len([]rune(got)); n > 10 || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := fmt.Sprintf("%.2s", Text("abc")); got != "abc" {
		t.Error(got)
	}
}

// Whatever happens, a note reads as text: it has a title, and nothing of the
// machine shows.
func TestEveryNoteReadsAsText(t *testing.T) {
	writers := []*Writer{writer(t, "en", nil), writer(t, "zh", nil)}
	rapid.Check(t, func(t *rapid.T) {
		var b Batch
		for _, e := range someEvents(t) {
			b.Add(e)
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "watches") {
			b.AddWatch(watchEvent(i%2, uint64(i/2+1), []rollcall.Type{rollcall.WatchLost, rollcall.WatchResumed}[i/2]))
		}
		for range rapid.IntRange(0, 1).Draw(t, "cut") {
			b.Cut()
		}
		n := b.Note(rapid.SampledFrom([]Kind{"", Digest, CatchUp}).Draw(t, "kind"), rapid.IntRange(1, 10).Draw(t, "lines"))
		if n.Account.Told+n.Account.Digested+n.Account.Cut == 0 {
			return
		}
		for _, w := range writers {
			title, body, err := w.Write(n, Plain{})
			if err != nil {
				t.Fatal(err)
			}
			if title == "" || body == "" || strings.Contains(title, "\n") {
				t.Errorf("the title is %q, the body %q", title, body)
			}
			for _, slip := range []string{"<no value>", "<nil>", "%!", "{{", "\n\n", ": ,", "：，", ", ,", "  ", ":;", "0001"} {
				if strings.Contains(title+"\n"+body, slip) {
					t.Errorf("%q shows in %q, %q", slip, title, body)
				}
			}
		}
	})
}
