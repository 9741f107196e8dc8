package poller

import "time"

// lane asks about one batch of a volley after the other, with the shard's turn.
type lane struct {
	volley *volley
	ids    []string    // that it asks about
	alarm  *time.Timer // until its call is overdue; nil: it has not gone out
	late   bool        // it is overdue
}

func (l *lane) run(ids []string) {
	v := l.volley
	for {
		if len(ids) > 0 {
			l.ask(ids)
		}
		if !v.more() || v.lanes-v.overdue > v.most() {
			break
		}
		ids = v.next()
		v.widen()
	}
	v.lanes--
	v.widen()
}

// ask asks about one batch.
func (l *lane) ask(ids []string) {
	v := l.volley
	l.ids, v.calls[l] = ids, true
	said, class, err := v.queries.ask(ids, l.sent)
	left := v.left
	l.answered()
	batch := refusedBatch{ids, said, class, err}
	switch {
	case left:
		v.queries.run.arrived(ids)
	case said == accepted:
		v.pace()
	case said == spoiled, said == rejected:
		v.refused = append(v.refused, batch)
	}
}

// sent has the call be overdue after a while.
func (l *lane) sent() {
	if l.alarm != nil {
		return // it is tried again
	}
	r := l.volley.queries.run
	var alarm *time.Timer
	alarm = time.AfterFunc(overdue(r.poller.roundTrip.Now()), func() { r.calls.turn.back(func() { l.delay(alarm) }) })
	l.alarm = alarm
}

// delay lets others be asked about in the place of what is overdue. While it waited
// for the turn the call may have been answered, and the next one begun.
func (l *lane) delay(alarm *time.Timer) {
	if v := l.volley; l.alarm == alarm && !v.left {
		l.late = true
		v.overdue++
		v.widen()
	}
}

func (l *lane) answered() {
	v := l.volley
	delete(v.calls, l)
	if l.alarm != nil {
		l.alarm.Stop()
	}
	if l.late {
		v.overdue--
	}
	l.alarm, l.late = nil, false
}
