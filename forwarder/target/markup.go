package target

// Markup is how a service writes text. What strangers wrote goes through Text;
// the other methods take text that is escaped already.
type Markup interface {
	// Text escapes what a stranger wrote: it stays on its line and is shown as
	// it is, without a mention, a link or a style.
	Text(s string) string
	Bold(escaped string) string
	// Line makes one item of a list, without a line break.
	Line(escaped string) string
	// Color shows a tone, "good", "bad" or "muted", where the service can.
	Color(escaped, tone string) string
}
