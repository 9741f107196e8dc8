package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Complaint is one mistake in a file.
type Complaint struct {
	Line    int    // from 1; 0: the whole file
	Key     string // steps[3].at; "" where no key is at fault
	Problem string // what is wrong, and what is allowed
}

// String gives the complaint as one line.
func (c Complaint) String() string {
	parts := make([]string, 0, 3)
	if c.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", c.Line))
	}
	if c.Key != "" {
		parts = append(parts, c.Key)
	}
	return strings.Join(append(parts, c.Problem), ": ")
}

// Complaints is the error of [Load]: every mistake, in the order of the lines.
type Complaints []Complaint

// Error gives the complaints one a line.
func (c Complaints) Error() string {
	lines := make([]string, len(c))
	for i, complaint := range c {
		lines[i] = complaint.String()
	}
	return strings.Join(lines, "\n")
}

func (c Complaints) sorted() Complaints {
	slices.SortStableFunc(c, func(a, b Complaint) int { return a.Line - b.Line })
	return c
}
