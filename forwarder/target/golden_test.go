package target

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the requests in testdata anew")

// goldenMessages are those whose requests are kept in testdata, for the eye and
// for the judges of .ci/judges.
func goldenMessages(kind Kind) []Message {
	single, digest := kind.Markup(false), kind.Markup(true)
	body := single.Line(single.Bold(single.Text("Ann"))+" joined") + "\n" + single.Line(single.Color(single.Text("Li Wei"), "bad")+" was removed by the host") + "\nbetween 10:04 and 10:05"
	strangers := []string{}
	for _, name := range hostile() {
		strangers = append(strangers, single.Line(single.Bold(single.Text(wireName(name)))+" joined"))
	}
	return []Message{
		{ID: "single", Title: "Weekly review (Q3)", Body: body},
		{ID: "digest", Title: "周会", Body: digest.Line("8 joined, 3 left") + "\n" + digest.Line(digest.Bold(digest.Text("李雷"))+" left"), Digest: true},
		{ID: "mention", Title: "Weekly review (Q3)", Body: body, Mention: []string{"all", "ann"}},
		{ID: "strangers", Title: hostile()[0], Body: strings.Join(strangers, "\n")},
		{ID: "text", Title: hostile()[0], Plain: hostile()[0] + " joined\n" + hostile()[1] + " left"},
	}
}

func TestRequestsAreTheGoldenOnes(t *testing.T) {
	for _, kind := range Kinds() {
		if kind.Markup == nil {
			continue // it sends the event as it is
		}
		robot := robotOf(t, kind)
		requests := map[string]json.RawMessage{}
		for _, m := range goldenMessages(kind) {
			requests[m.ID] = robot.encode(m, text{lines: m.Body + m.Plain, plain: m.Plain != ""}, time.Unix(1_700_000_000, 0)).body
		}
		var got bytes.Buffer
		encoder := json.NewEncoder(&got)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(requests); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", kind.Name+".json")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s is not what is sent (%v): go test ./forwarder/target -run Golden -update, and look at the difference", file, err)
		}
	}
}
