package target

import (
	"slices"
	"strings"
)

// joinLines joins the parts that are there.
func joinLines(between string, parts ...string) string {
	there := []string{}
	for _, part := range parts {
		if part != "" {
			there = append(there, part)
		}
	}
	return strings.Join(there, between)
}

// heading marks words as one; "" where there are none.
func heading(mark string, words ...string) string {
	if line := joinWords(words...); line != "" {
		return mark + line
	}
	return ""
}

// joinWords joins the words that are there.
func joinWords(words ...string) string { return joinLines(" ", words...) }

// hardBreaks keeps the line breaks of a body where markdown would join lines.
func hardBreaks(body string) string { return brokenLines(body, "  \n") }

// brokenLines puts between between lines, and an empty line around a list:
// markdown takes what follows its last item for more of it.
func brokenLines(body, between string) string {
	var b strings.Builder
	listed := false
	for i, line := range strings.Split(body, "\n") {
		item := strings.HasPrefix(line, "- ")
		switch {
		case i == 0:
		case item != listed:
			b.WriteString("\n\n")
		case item:
			b.WriteString("\n")
		default:
			b.WriteString(between)
		}
		b.WriteString(line)
		listed = item
	}
	return b.String()
}

// missing returns the keyword that a robot wants to find in a message, to be put
// before it; "" where it is in one of the parts.
func missing(keyword string, parts ...string) string {
	if slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(part, keyword) }) {
		return ""
	}
	return keyword
}

// mentions names users: all as a word of its own, others between two marks.
func mentions(users []string, all, open, shut string) string {
	named := []string{}
	for _, user := range users {
		if id := idOf(user); user == "all" {
			named = append(named, all)
		} else if id != "" {
			named = append(named, open+id+shut)
		}
	}
	return strings.Join(named, " ")
}
