package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether what is written to w is shown on a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// colours reports whether to colour what is written to standard output: on a
// terminal, unless NO_COLOR is set to anything (no-color.org).
func (p *program) colours() bool {
	no, _ := p.env("NO_COLOR")
	return no == "" && isTerminal(p.stdout)
}
