// Package streak follows what may fail over and over, so that a log shows what
// changes and not what repeats: the first failure, each further cause, and the
// recovery with the number of failures and how long it took.
package streak

import (
	"strings"
	"time"
	"unicode"
)

// maxCauses bounds how many causes of one streak are distinguished.
const maxCauses = 16

// Streak is a run of failures. The zero value follows something that is well.
// It is not safe for concurrent use.
type Streak struct {
	count  int
	since  time.Time
	causes map[string]bool
}

// Kind says what an outcome changes.
type Kind uint8

// The kinds of a [Change].
const (
	Same      Kind = iota // nothing that a log does not show yet
	Failing               // the first failure
	NewCause              // a failure of a cause that this streak has not had
	Recovered             // the first success after failures
)

// Change is what is new about an outcome.
type Change struct {
	Kind     Kind
	Failures int           // in a row, before this outcome
	Took     time.Duration // since the first of them
}

// Note takes the next outcome. The cause of a failure is its kind, without what
// varies from one attempt to the next; "" is a success.
func (s *Streak) Note(cause string) Change {
	c := Change{Failures: s.count}
	if s.count > 0 {
		c.Took = time.Since(s.since)
	}
	switch {
	case cause == "" && s.count == 0:
		return c
	case cause == "":
		c.Kind, *s = Recovered, Streak{}
		return c
	case s.count == 0:
		c.Kind, s.since, s.causes = Failing, time.Now(), make(map[string]bool)
	case !s.causes[cause] && len(s.causes) < maxCauses:
		c.Kind = NewCause
	}
	s.count++
	if c.Kind != Same {
		s.causes[cause] = true
	}
	return c
}

// Failing reports whether the last outcome was a failure.
func (s *Streak) Failing() bool { return s.count > 0 }

// Cause returns the cause of an error for [Streak.Note]: its text without the
// words that hold a digit or a quotation mark, which are the numbers, ids,
// addresses and names of one attempt; "" for nil.
func Cause(err error) string {
	if err == nil {
		return ""
	}
	var words []string
	for word := range strings.FieldsSeq(err.Error()) {
		if !strings.ContainsFunc(word, func(r rune) bool { return r == '"' || unicode.IsDigit(r) }) {
			words = append(words, word)
		}
	}
	return "failed: " + strings.Join(words, " ")
}
