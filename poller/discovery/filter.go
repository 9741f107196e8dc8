package discovery

import (
	"slices"
	"strings"

	"rollcall/poller"
)

// Filter says which of the listed meetings are tracked. The zero value takes
// all. Patterns are compared with the whole text, capital letters or not;
// * stands for any text and ? for any one character.
type Filter struct {
	Include, Exclude Patterns
}

// Patterns are about what a list says of a meeting.
type Patterns struct {
	Titles   []string
	Creators []string // compared with the creator's id and with the name
}

// Takes reports whether a meeting is tracked: one that an exclusion matches is
// not; where there are inclusions, title and creator must each match one of theirs.
func (f Filter) Takes(m poller.Listed) bool {
	if f.Exclude.title(m) || f.Exclude.creator(m) {
		return false
	}
	return (len(f.Include.Titles) == 0 || f.Include.title(m)) && (len(f.Include.Creators) == 0 || f.Include.creator(m))
}

func (p Patterns) title(m poller.Listed) bool { return matches(p.Titles, m.Title) }

func (p Patterns) creator(m poller.Listed) bool {
	return matches(p.Creators, m.CreatorID) || m.CreatorNick != "" && matches(p.Creators, m.CreatorNick)
}

func matches(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return match([]rune(strings.ToLower(pattern)), []rune(strings.ToLower(text)))
	})
}

// match compares a text with a pattern. Behind the last star that was met it
// goes on one character later whenever the rest does not fit, so that no
// pattern takes longer than its length times that of the text.
func match(pattern, text []rune) bool {
	p, t, star, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
