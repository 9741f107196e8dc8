package rollcall_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every link to a file of the repository, and to a heading in it, leads there.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "README.md", "CONTRIBUTING.md", "SECURITY.md", "deploy/README.md")
	links, code := 0, regexp.MustCompile("(?s)```.*?```")
	for _, page := range pages {
		text := code.ReplaceAllString(pageText(t, page), "")
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			file, heading, _ := strings.Cut(link[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: nothing is at %s", page, link[1])
			} else if heading != "" && !hasHeading(pageText(t, target), heading) {
				t.Errorf("%s: %s has no heading %s", page, target, heading)
			}
		}
	}
	if links < 20 {
		t.Errorf("found %d links: the test looks for the wrong words", links)
	}
}

// Every sentence of the page about security is held by a test that is there.
func TestThePageAboutSecurityNamesItsTests(t *testing.T) {
	tests := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(pageText(t, path), -1) {
			tests[found[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page := pageText(t, "docs/security.md")
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(page, -1)
	for _, name := range named {
		if !tests[name[1]] {
			t.Errorf("docs/security.md names %s, which is not there", name[1])
		}
	}
	for _, point := range strings.Split(page, "\n- ")[1:] {
		point, _, _ = strings.Cut(point, "\n\n")
		if !strings.Contains(point, "`Test") && !strings.HasPrefix(point, "**Not prevented**") {
			t.Errorf("docs/security.md names no test of %q", point)
		}
	}
	if len(named) < 40 {
		t.Errorf("found %d tests: the test looks for the wrong words", len(named))
	}
}

// A README is read to the end: what is longer stands in docs.
func TestTheReadmeIsShort(t *testing.T) {
	if n := len(pageText(t, "README.md")); n > 10<<10 {
		t.Errorf("README.md has %d bytes: move what is not for the first hour to docs", n)
	}
}

func pageText(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// hasHeading looks for a heading by the anchor that it gets.
func hasHeading(text, anchor string) bool {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		if strings.ReplaceAll(plain, " ", "-") == anchor {
			return true
		}
	}
	return false
}
