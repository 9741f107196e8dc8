package poller

// streak follows how the passes of a shard end, so that changes are logged and
// repetition is not. The zero value follows a shard that is well.
type streak struct {
	class Class
	count int
}

// turn is what is new about an outcome.
type turn uint8

const (
	turnNone      turn = iota
	turnFailing        // the first failure
	turnDifferent      // another failure than before
	turnRecovered      // well again
)

// note takes the next outcome, and gives what is new about it and how many
// failures went before it.
func (s *streak) note(class Class) (what turn, failures int) {
	failures = s.count
	switch {
	case class == s.class:
	case class == ClassNone:
		what = turnRecovered
	case s.class == ClassNone:
		what = turnFailing
	default:
		what = turnDifferent
	}
	s.class = class
	s.count++
	if class == ClassNone {
		s.count = 0
	}
	return what, failures
}
