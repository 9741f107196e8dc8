package note

import "rollcall/internal/safetext"

// Plain is the markup of a terminal, and of what a service shows as mere text.
type Plain struct{}

// Text makes s one line that is safe to show.
func (Plain) Text(s string) string { return safetext.Line(s) }

// Bold returns the text as it is.
func (Plain) Bold(escaped string) string { return escaped }

// Line puts a dash before the text.
func (Plain) Line(escaped string) string { return "- " + escaped }

// Color returns the text as it is.
func (Plain) Color(escaped, _ string) string { return escaped }
