package differ

import (
	"os"
	"strings"
	"testing"

	"rollcall"
)

// The picture above the rules is what they do: each of its cells is tried.
func TestThePictureShowsWhatTheRulesDo(t *testing.T) {
	source, err := os.ReadFile("rules.go")
	if err != nil {
		t.Fatal(err)
	}
	_, picture, _ := strings.Cut(string(source), `was \ is`)
	picture, _, _ = strings.Cut(picture, "\n//\n")
	words := strings.NewReplacer("·", "", "devices", "", "lapsed", "invitation_lapsed", "came", "joined")
	columns, tried := []string(nil), 0
	for line := range strings.Lines(picture) {
		cells := strings.Split(strings.Trim(line, "/\t\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if columns == nil {
			columns = cells
			continue
		}
		for i, cell := range cells[1:] {
			tried++
			if got, want := tellsOf(cells[0], columns[i+1]), words.Replace(cell); got != want {
				t.Errorf("%s, then %s: %q is told, and the picture shows %q", cells[0], columns[i+1], got, want)
			}
		}
	}
	if tried != 49 {
		t.Errorf("the picture has %d cells", tried)
	}
}

// tellsOf returns the events of somebody who was and then is this.
func tellsOf(was, is string) string {
	var record *rollcall.Record
	var res Result
	for i, word := range []string{"unlisted", was, is} {
		var entries []rollcall.Entry
		if a, ok := rollcall.ParseAttendance(word); ok {
			entries = []rollcall.Entry{{UserID: "u", Nick: "U", Attendance: a, RejectDescription: "busy"}}
		}
		res = Diff(record, listing(i+1, entries...), Rules{})
		record = res.Record
	}
	var words []string
	for _, e := range res.Events {
		words = append(words, e.Type.Verb())
	}
	return strings.Join(words, ", ")
}
