package note

// Markup is how a service writes text. What it returns is in the service's own
// markup; "escaped" is text that is already.
type Markup interface {
	// Text escapes what a stranger has written: it cannot mention anybody, link,
	// style, or break a line.
	Text(s string) string
	Bold(escaped string) string
	Line(escaped string) string        // one item of a list, without a line break
	Color(escaped, tone string) string // tone: good, bad or muted; escaped as it is where the service has no colours
}
