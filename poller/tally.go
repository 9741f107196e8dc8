package poller

import "time"

// tally gathers the report of one pass.
type tally struct {
	Report
	trouble Class // of the first fault that was not about one meeting
}

// unanswered notes meetings about which nothing was learned.
func (t *tally) unanswered(class Class, ids ...string) {
	if t.Unanswered == nil {
		t.Unanswered = make(map[string]Class)
	}
	for _, id := range ids {
		t.Unanswered[id] = class
	}
}

// underWay notes meetings whose call is overdue.
func (t *tally) underWay(ids ...string) {
	if t.UnderWay == nil {
		t.UnderWay = make(map[string]bool)
	}
	for _, id := range ids {
		t.UnderWay[id] = true
	}
	t.unanswered(ClassNone, ids...)
}

// known notes a meeting about which nothing needs to be learned now: an earlier
// lookup said what to expect.
func (t *tally) known(id string) {
	t.Good = true
	t.unanswered(ClassNone, id)
}

// skipped notes meetings that are not asked about because that is refused.
// Where the pass itself is over they were just not reached.
func (t *tally) skipped(r *refusal, ids ...string) {
	if r.class != ClassNone {
		t.unanswered(r.class, ids...)
	}
}

// apart notes until when a meeting waits in quarantine.
func (t *tally) apart(id string, until time.Time) {
	if t.Apart == nil {
		t.Apart = make(map[string]time.Time)
	}
	t.Apart[id] = until
}

// fault notes a fault that is perhaps only about one meeting; the first one stays.
func (t *tally) fault(err error) {
	if t.Err == nil {
		t.Err = err
	}
}

// blame notes a fault that is not about one meeting; the first one stays.
func (t *tally) blame(class Class, err error) {
	t.fault(err)
	if t.trouble == ClassNone {
		t.trouble = class
	}
}
