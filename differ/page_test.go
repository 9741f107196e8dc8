package differ

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall"
)

var inCode = regexp.MustCompile("`([a-z_.]+)`")

// pageRow is a row of the table of events in docs/events.md.
type pageRow struct {
	number  string
	types   []string
	reasons []string
}

func page(t *testing.T) (rows []pageRow) {
	t.Helper()
	data, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || !regexp.MustCompile(`^\| \d+\+?$`).MatchString(cells[0]) {
			continue
		}
		rows = append(rows, pageRow{strings.TrimPrefix(cells[0], "| "), codes(cells[1]), codes(cells[3])})
	}
	return rows
}

func codes(cell string) (words []string) {
	for _, match := range inCode.FindAllStringSubmatch(cell, -1) {
		words = append(words, match[1])
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// The page that people read and the rules say the same, row by row.
func TestThePageHasEveryRule(t *testing.T) {
	types, reasons := map[string][]string{}, map[string][]string{}
	for _, r := range eventRules() {
		types[r.row] = append(types[r.row], string(r.event))
		if r.reason != rollcall.ReasonNone {
			reasons[r.row] = append(reasons[r.row], string(r.reason))
		}
	}
	rows := page(t)
	if len(rows) != len(types) {
		t.Errorf("the page has %d rows, the rules %d", len(rows), len(types))
	}
	for _, row := range rows {
		for what, both := range map[string][2][]string{"types": {row.types, types[row.number]}, "reasons": {row.reasons, reasons[row.number]}} {
			want := slices.Compact(slices.Sorted(slices.Values(both[1])))
			if !slices.Equal(both[0], want) {
				t.Errorf("row %s: the page has the %s %v, the rules %v", row.number, what, both[0], want)
			}
		}
	}
}
