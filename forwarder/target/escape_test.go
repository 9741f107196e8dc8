package target

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// hostile are names that strangers could choose.
func hostile() []string {
	return []string{
		"@all [x](http://evil) **b** <at id=all>",
		"<at id=all></at>", "<@userid>", "<!channel>", "<@U012>", "&lt;!channel&gt;", "<at user_id=\"all\">x</at>", "@13800138000",
		"<https://evil.example|click>", "[a]: http://evil", "![i](http://evil/i.png)", "http://evil", "www.evil.example", "evil.com/x", "mail@evil.com", "evil.\u200bcom", "e\u00advil.com", "¾.A", "①.com", "http:\u200b//evil",
		"**b** __u__ ~~s~~ `c` *i* _i_", "```\nblock\n```", "# heading", "> quote", "- item", "+ item", "1. item", "2) item", "=====", "---", "| a | b |\n|---|---|", "    code",
		"a\nb", "a\r\nb", "a\u2028b", "a\vb", "a\\", "\\*", "&#42;b&#42;", "&amp;lt;", "{{DATE(2017-02-14T06:08:00Z)}}", "$$x$$", "<!-- ", "<script>alert(1)</script>", "<font color=red>", "</font>",
		":smile:", ":a:b:c:", "[微笑]", "\u202eevil", "\x00\x1b[31m", "\xff\xfe", "\xe4\xb8", "z̴̨̛̗̣̣̖̱̙a̷l", "\u0300\u0300", "👨\u200d👩\u200d👧 ❤\ufe0f", "\u200b", " ", "", "李雷（周会）", strings.Repeat("长", 300), strings.Repeat("*", 300),
	}
}

// wireName cuts a name as events have it: at most 256 bytes.
func wireName(s string) string {
	if len(s) > 256 {
		s = s[:256]
	}
	return s
}

var (
	listStart = regexp.MustCompile(`^([-+=]|[0-9]+[.)])`)
	hostName  = regexp.MustCompile(`[\p{L}\p{N}\p{M}-]\.\p{L}`)
	entity    = regexp.MustCompile(`&#[0-9]{1,3};`)
	emojiName = regexp.MustCompile(`:[\p{L}\p{N}_+'-]+:`)
)

// demandPlain wants one line of visible text that no client takes for a
// mention or a link.
func demandPlain(t *testing.T, s, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%q: invalid UTF-8: %q", s, out)
	}
	for _, r := range out {
		if unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' || unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("%q: %U is left in %q", s, r, out)
		}
	}
	if strings.Contains(out, "@") || strings.Contains(out, "://") || hostName.MatchString(out) {
		t.Errorf("%q: a mention or a link is left: %q", s, out)
	}
}

// demandNone wants none of the characters.
func demandNone(t *testing.T, s, out, special string) {
	t.Helper()
	if i := strings.IndexAny(out, special); i >= 0 {
		t.Errorf("%q: %q is left in %q", s, out[i], out)
	}
	if listStart.MatchString(out) {
		t.Errorf("%q: %q begins a list or a rule", s, out)
	}
}

func robotOf(t testing.TB, kind Kind) *robot {
	t.Helper()
	made, err := kind.New(Options{Address: addressOf(t, "https://example.com/?access_token=t&key=k")})
	if err != nil {
		t.Fatalf("%s: %v", kind.Name, err)
	}
	r, is := made.(*robot)
	if !is {
		t.Fatalf("%s is no robot: a kind with a markup is made by newRobot (chat.go)", kind.Name)
	}
	return r
}

const markdownSpecial = "\\`*_~[]<>#|{}!"

// fuzzText holds a kind's escaper to check, and its messages to a limit that
// three lines may be too large for.
func fuzzText(f *testing.F, kind Kind, check func(*testing.T, string, string)) {
	const most = 2000
	markup, robot := kind.Markup(false), robotOf(f, kind)
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = wireName(s)
		out := markup.Text(s)
		demandPlain(t, s, entity.ReplaceAllString(out, "!")) // what is escaped is a sign
		check(t, s, out)
		if again := markup.Text(s); again != out {
			t.Errorf("%q: once %q, once %q", s, out, again)
		}
		m := Message{Title: s, Body: strings.Repeat(markup.Line(markup.Bold(out))+"\n", 3), Plain: strings.Repeat(s, 10)}
		whole, _ := robot.within(m, most)
		if req := robot.encode(m, whole, time.Time{}); req.size > most || !json.Valid(req.body) || !utf8.Valid(req.body) {
			t.Errorf("%q: %d %s of %d: %s", s, req.size, kind.Limit.Unit, most, req.body)
		}
	})
}

func FuzzDingTalkText(f *testing.F) {
	fuzzText(f, dingTalk(), func(t *testing.T, s, out string) { demandNone(t, s, out, markdownSpecial) })
}

func FuzzWeComText(f *testing.F) {
	fuzzText(f, weCom(), func(t *testing.T, s, out string) { demandNone(t, s, out, markdownSpecial) })
}

func FuzzTeamsText(f *testing.F) {
	fuzzText(f, teams(), func(t *testing.T, s, out string) { demandNone(t, s, out, markdownSpecial) })
}

func FuzzFeishuText(f *testing.F) {
	fuzzText(f, feishu(), func(t *testing.T, s, out string) {
		demandNone(t, s, entity.ReplaceAllString(out, "x"), "\\`*_~[]()<>#|{}!&:+-=$^")
		if got, want := html.UnescapeString(out), unlinked(oneLine(s)); got != want {
			t.Errorf("%q is shown as %q, want %q", s, got, want)
		}
	})
}

func FuzzSlackText(f *testing.F) {
	fuzzText(f, slack(), func(t *testing.T, s, out string) {
		bare := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(out)
		if strings.ContainsAny(bare, "&<>*_~`") || strings.HasPrefix(out, "&gt;") {
			t.Errorf("%q: markup is left in %q", s, out)
		}
		if emojiName.MatchString(out) {
			t.Errorf("%q: a picture is left in %q", s, out)
		}
	})
}

func FuzzPlainLines(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := plainLines(s)
		if strings.Count(out, "\n") != strings.Count(s, "\n") {
			t.Errorf("%q: the lines are %q", s, out)
		}
		for line := range strings.SplitSeq(out, "\n") {
			demandPlain(t, s, line)
		}
		if strings.ContainsAny(out, "<>&") {
			t.Errorf("%q: a tag is left in %q", s, out)
		}
	})
}

func TestOrdinaryNamesStayAsTheyAre(t *testing.T) {
	for _, name := range []string{"Weekly review (Q3)", "李雷", "Ann O'Neill, PhD", "José", "Приём 10:30", "R2D2", "v1.2", "50 % = half"} {
		for _, kind := range Kinds() {
			if kind.Markup == nil {
				continue
			}
			if got := html.UnescapeString(kind.Markup(false).Text(name)); got != name {
				t.Errorf("%s: %q is shown as %q", kind.Name, name, got)
			}
		}
	}
	if got := oneLine(" 👨\u200d👩\u200d👧 ❤\ufe0f\tx\n"); got != "👨\u200d👩\u200d👧 ❤\ufe0f x" {
		t.Errorf("pictures become %q", got)
	}
}

// A marker beside a sign would not count in CommonMark.
func TestBoldHoldsBesideSigns(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Li": "**Li**", "李": "**李**", "(Q3)": "**" + brk + "(Q3)" + brk + "**", "&#42;x": "**" + brk + "&#42;x**",
	} {
		if got := strong("**", in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestCutsAreWholeLinesAndWholeRunes(t *testing.T) {
	atMost := func(n int) func(string) bool { return func(s string) bool { return len(s) <= n } }
	for _, c := range []struct {
		body string
		most int
		want string
		ok   bool
	}{
		{"a\nb", 10, "a\nb", true},
		{"aaaa\nbbbb\ncccc", 13, "aaaa\nbbbb\n…", true},
		{"aaaa\nbbbb\ncccc", 12, "aaaa\n…", true},
		{"aaaaaaaaaaaa\nb", 8, "", false},
		{"", 0, "", true},
	} {
		if got, ok := cutLines(c.body, atMost(c.most)); got != c.want || ok != c.ok {
			t.Errorf("%q cut at %d: %q, %v", c.body, c.most, got, ok)
		}
	}
	for most := 3; most < 20; most++ {
		got := cutRunes("周会周会周会", atMost(most))
		if len(got) > most || !utf8.ValidString(got) || most < 18 && most-len(got) > 2 {
			t.Errorf("cut at %d: %q", most, got)
		}
	}
}
