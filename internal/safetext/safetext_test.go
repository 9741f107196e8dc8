package safetext_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rollcall/internal/safetext"
)

func TestLineShowsWhatWouldHide(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"Weekly planning":                 "Weekly planning",
		`a\b`:                             `a\b`,
		"周会 – 張三":                         "周会 – 張三",
		"a\x1b[31mb":                      `a\x1b[31mb`,
		"a\x1b]0;title\x07b":              `a\x1b]0;title\x07b`,
		"a\u009b2Jb":                      `a\u009b2Jb`,
		"one\ntwo\r\tthree":               `one\x0atwo\x0d\x09three`,
		"a\u2028b\u2029c\u0085":           `a\u2028b\u2029c\u0085`,
		"a\u202eb\u2066c\u2069":           `a\u202eb\u2066c\u2069`,
		"\u200e\u200f\u061c":              `\u200e\u200f\u061c`,
		"a\u200bb\ufeff\u2060":            `a\u200bb\ufeff\u2060`,
		"👩\u200d💻":                        `👩\u200d💻`,
		"❤\ufe0f":                         `❤\ufe0f`,
		"\U000e0041\U000e007f":            `\U000e0041\U000e007f`,
		"\ue000\U000f0000":                `\ue000\U000f0000`,
		"\u0378\U0003ffff":                `\u0378\U0003ffff`,
		"\u3164\u115f\u2800":              `\u3164\u115f\u2800`,
		"a\u00a0b\u3000c":                 "a b c",
		"a\xffb\xc3":                      `a\xffb\xc3`,
		"\ufffd":                          "\ufffd",
		"\u0301a":                         `\u0301a`,
		"e\u0301":                         "e\u0301",
		"e\u0301\u0302\u0303\u0304\u0305": "e\u0301\u0302\u0303" + `\u0304\u0305`,
		"a\x7f":                           `a\x7f`,
	} {
		if got := safetext.Line(in); got != want {
			t.Errorf("Line(%+q) = %+q, want %+q", in, got, want)
		}
	}
}

func TestFieldCutsByColumns(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"周会周会", 8, "周会周会"},
		{"周会周会", 7, "周会周…"},
		{"周会周会", 6, "周会…"},
		{"周会", 1, "…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"ab", 0, ""},
		{"ab", -1, ""},
	} {
		if got := safetext.Field(c.in, c.width); got != c.want {
			t.Errorf("Field(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
	if got := safetext.Pad("周", 4); got != "周  " {
		t.Errorf("Pad = %q", got)
	}
}

func TestLogKeepsColumnsAndOneLine(t *testing.T) {
	in := "2026\tinfo\tfake\nline\x1b[2J \u202e \x7f \xff\n"
	want := "2026\tinfo\tfake\\u000aline\\u001b[2J \\u202e \\u007f \\ufffd\n"
	if got := string(safetext.Log([]byte(in))); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"a\x1b[31m", "a\u202eb", "周\u0301\u0301\u0301\u0301\u0301", "\xff\u2028", "\U000e0001"} {
		f.Add(seed, 10)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		line := safetext.Line(s)
		demandShown(t, line)
		if again := safetext.Line(line); again != line {
			t.Fatalf("Line is not stable: %+q becomes %+q", line, again)
		}
		width %= 100
		field := safetext.Field(s, width)
		demandShown(t, field)
		if got := safetext.Width(field); got > max(width, 0) {
			t.Fatalf("Field(%+q, %d) takes %d columns: %+q", s, width, got, field)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add("{\"a\":\"\u202e\u009b\x7f\xff\U000e0001\",\n\t\"b\":[1]}")
	f.Fuzz(func(t *testing.T, text string) {
		shown := safetext.JSON([]byte(text))
		demandShown(t, strings.ReplaceAll(string(shown), "\u00a0", " "))
		var want, got any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if err := json.Unmarshal(shown, &got); err != nil || !reflect.DeepEqual(want, got) {
			t.Fatalf("JSON(%q) = %q: another value, error %v", text, shown, err)
		}
		var logged any
		if err := json.Unmarshal(safetext.Log(shown), &logged); err != nil || !reflect.DeepEqual(want, logged) {
			t.Fatalf("Log(%q): another value, error %v", shown, err)
		}
	})
}

// demandShown states the promise by Unicode's own words, not by the code's.
func demandShown(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Fatalf("not UTF-8: %q", line)
	}
	for _, r := range line {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Join_Control) {
			t.Fatalf("%U is left in %+q", r, line)
		}
	}
}
