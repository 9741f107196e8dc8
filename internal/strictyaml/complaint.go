package strictyaml

import (
	"fmt"
	"strings"
)

// Complaint is one mistake in a file.
type Complaint struct {
	// File is where the key stands, or the section that lacks it, if not in the
	// document that is read first: another file, or what else gives a value.
	File    string
	Line    int    // from 1, in the file; 0: the whole of it
	Key     string // tenants[0].poll.schedule; "" where no key is at fault
	Problem string // what is wrong, and what is allowed; never a secret, safe to show
}

// String returns the complaint as one line.
func (c Complaint) String() string {
	parts := make([]string, 0, 4)
	if c.File != "" {
		parts = append(parts, c.File)
	}
	if c.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", c.Line))
	}
	if c.Key != "" {
		parts = append(parts, c.Key)
	}
	return strings.Join(append(parts, c.Problem), ": ")
}

// maxShown is how many complaints are printed; a file of another kind can cause
// one a line.
const maxShown = 100

// Complaints is the error of a file: all its mistakes, in the order of their
// lines.
type Complaints []Complaint

// Error returns the complaints one a line, a hundred at most.
func (c Complaints) Error() string {
	lines := make([]string, 0, len(c)+1)
	for i, complaint := range c {
		if i == maxShown {
			lines = append(lines, fmt.Sprintf("and %d more", len(c)-i))
			break
		}
		lines = append(lines, complaint.String())
	}
	return strings.Join(lines, "\n")
}
