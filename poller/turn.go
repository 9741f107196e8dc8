package poller

// turn is held by the one goroutine of a pass that runs; it is given up while
// that one waits, so that what a pass shares needs no other lock. It is a channel,
// for which a test's clock goes on where somebody waits.
type turn chan struct{}

// newTurn returns a turn that the caller holds.
func newTurn() turn {
	t := make(turn, 1)
	t.take()
	return t
}

func (t turn) take() { t <- struct{}{} }
func (t turn) give() { <-t }

// away does what takes time without the turn.
func (t turn) away(wait func()) {
	t.give()
	defer t.take()
	wait()
}

// back does what needs the turn, for one who is away.
func (t turn) back(do func()) {
	t.take()
	defer t.give()
	do()
}
