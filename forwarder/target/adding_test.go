package target

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall/simulator/chat"
)

// Whoever adds a kind is told here what else it wants, before any test that
// stands on it; CONTRIBUTING has the whole way.
func TestEveryKindIsKnownEverywhere(t *testing.T) {
	fuzzed, docs, judge := read(t, "escape_test.go"), read(t, "../../docs/forwarding.md"), read(t, "../../.ci/judges/chat.test.mjs")
	for _, kind := range Kinds() {
		wants := func(there bool, what string) {
			if !there {
				t.Errorf("%s wants %s", kind.Name, what)
			}
		}
		wants(exists(kind.Name+".go"), "a file of its own, "+kind.Name+".go")
		wants(kind.Title != "" && kind.New != nil && kind.Limit.Silence > 0, "Title, New, and in Limit the Silence after a throttle")
		wants(slices.Contains(chat.Services(), kind.Name), fmt.Sprintf("the service itself, simulator/chat/%s.go, with a row in services() (service.go)", kind.Name))
		wants(strings.Contains(docs, "\n| `"+kind.Name+"` |"), `a row in docs/forwarding.md, "Who can be told"`)
		if kind.Markup == nil {
			continue
		}
		wants(kind.Limit.MaxSize > 0 && kind.Limit.Unit != "" && len(kind.Limit.Rates) > 0, "MaxSize, Unit and Rates in Limit")
		wants(len(answers()[kind.Name]) > 0, "what it answers in answers() (codes_test.go)")
		wants(len(mentioned()[kind.Name]) > 0, "whom it mentions in mentioned() (fake_test.go)")
		wants(regexp.MustCompile(`(?i)fuzzText\(f, `+kind.Name+`\(\),`).MatchString(fuzzed), "a fuzz target of its escaper in escape_test.go")
		wants(exists(filepath.Join("testdata", kind.Name+".json")), "golden requests: go test ./forwarder/target -run Golden -update, and look at them")
		wants(strings.Contains(judge, "requests('"+kind.Name+"')"), "a judge of its markup in .ci/judges/chat.test.mjs")
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
