package poller

// streak follows how the passes of a shard end, so that changes are logged and
// repetition is not. The zero value follows a shard that is well.
type streak struct {
	class Class
	count int
}

// change is what is new about an outcome.
type change uint8

const (
	changeNone      change = iota
	changeFailing          // the first failure
	changeDifferent        // another failure than before
	changeRecovered        // well again
)

// note takes the next outcome, and returns what is new about it and how many
// failures went before it.
func (s *streak) note(class Class) (what change, failures int) {
	failures = s.count
	switch {
	case class == s.class:
	case class == ClassNone:
		what = changeRecovered
	case s.class == ClassNone:
		what = changeFailing
	default:
		what = changeDifferent
	}
	s.class = class
	s.count++
	if class == ClassNone {
		s.count = 0
	}
	return what, failures
}
