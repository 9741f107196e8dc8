package attendance

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rollcall/internal/safetext"
)

// bom tells spreadsheets that the text is UTF-8, without which they read Chinese as
// something else.
const bom = "\uFEFF"

// WriteCSV writes the visits for spreadsheets, a row each, with the times of a place
// in the offset that is in force when the meeting begins. As in [Meeting.Table] the
// microphone and the camera stand in a person's first row, so that columns add up.
// What is not known is empty. No cell can become a formula.
func (m *Meeting) WriteCSV(out io.Writer, at *time.Location) error {
	if _, err := io.WriteString(out, bom); err != nil {
		return err
	}
	zone, offset := time.UTC, "UTC"
	if first := m.first().In(at); !m.first().IsZero() {
		name, seconds := first.Zone()
		zone, offset = time.FixedZone(name, seconds), "UTC"+first.Format("-07:00")
	}
	w := csv.NewWriter(out)
	w.UseCRLF = true
	for _, row := range m.csvRows(zone, offset) {
		for i := range row {
			row[i] = Cell(row[i])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (m *Meeting) csvRows(zone *time.Location, offset string) [][]string {
	in := " (" + offset + ")"
	rows := [][]string{{
		"Title", "Meeting", "Name", "User ID", "Key", "Visit",
		"Joined, earliest" + in, "Joined, latest" + in, "Left, earliest" + in, "Left, latest" + in, "How it ended", "Known by",
		"Stayed, least (s)", "Stayed, most (s)", "Microphone, least (s)", "Microphone, most (s)", "Camera, least (s)", "Camera, most (s)", "Roles",
	}}
	for _, p := range m.arrivals() {
		devices := append(bounds(p.Mic), bounds(p.Camera)...)
		for i := range p.Visits {
			v := &p.Visits[i]
			row := []string{m.Title, m.ConferenceID, p.Nick, p.UserID, p.Key, strconv.Itoa(i + 1)}
			row = append(row, moment(v.Joined.Earliest(), zone), moment(ceil(v.Joined.Latest()), zone))
			if v.Left == nil {
				row = append(row, "", "")
			} else {
				row = append(row, moment(v.Left.Earliest(), zone), moment(ceil(v.Left.Latest()), zone))
			}
			row = append(row, howEnded(v.How), v.Provenance)
			rows = append(rows, append(append(append(row, bounds(v.Stay)...), devices...), p.Facts().String()))
			devices = []string{"", "", "", ""}
		}
	}
	return rows
}

func moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.DateTime)
}

func bounds(s Span) []string {
	least, most := s.seconds()
	if most < 0 {
		return []string{strconv.FormatInt(least, 10), ""}
	}
	return []string{strconv.FormatInt(least, 10), strconv.FormatInt(most, 10)}
}

// What a formula begins with, here and in the wide and small forms that programs
// take for the same, and what separates cells in some country.
const (
	formulas   = "=+-@＝＋－＠﹢﹣﹦﹫−⁺⁻⁼₊₋₌"
	separators = ",;|\"\t\r\n"
)

// Cell returns text as it may stand in a cell: safe to show, and with an apostrophe
// before whatever a spreadsheet would take for a formula, also where it takes another
// separator than the comma.
func Cell(text string) string {
	var b strings.Builder
	begins := true
	for _, r := range safetext.Line(text) {
		if begins && strings.ContainsRune(formulas, r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = strings.ContainsRune(separators, r) || begins && (unicode.IsSpace(r) || r == '\'')
	}
	return b.String()
}
