package main

import (
	"io"
	"strings"

	"rollcall/internal/safetext"
)

// widest is the width up to which a column makes room for its longest cell.
const widest = 48

// writeTable writes rows of cells in columns. What strangers wrote is made
// safe here; nothing is cut.
func writeTable(out io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i := range row {
			row[i] = safetext.Line(row[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(safetext.Width(row[i]), widest))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", max(widths[i]-safetext.Width(cell), 0)+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
