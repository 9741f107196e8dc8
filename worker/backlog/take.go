package backlog

import (
	"time"

	"rollcall"
)

// Take returns the oldest observation, or nil when none waits. [Lane.Done] must
// be called before the next one is taken.
func (l *Lane) Take() *rollcall.Observation {
	for {
		obs, again := l.first()
		if !again {
			return obs
		}
		l.refill()
	}
}

// first returns the oldest of those in memory; again: the file is to be read first.
func (l *Lane) first() (obs *rollcall.Observation, again bool) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if len(l.head) == 0 && l.from < l.to {
		return nil, true
	}
	if len(l.head) == 0 && len(l.tail) > 0 {
		it := l.tail[0]
		l.head, l.headBytes = append(l.head, it), it.bytes
		l.tail, l.tailBytes = l.tail[1:], l.tailBytes-it.bytes
	}
	if len(l.head) == 0 {
		return nil, false
	}
	l.front = l.head[0].obs.AnsweredAt
	return l.head[0].obs, false
}

// refill reads from the file what comes next. It reads without the lock: what
// has been written does not change while a lane has still to read it.
func (l *Lane) refill() {
	l.b.mu.Lock()
	f, from, to := l.b.file, l.from, l.to
	room := max(l.b.share(), 1)
	l.b.mu.Unlock()
	var got []item
	err := errNoFile
	if f != nil {
		got, from, err = l.read(f, from, to, room)
	}
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if f != l.b.file {
		return // it was set aside meanwhile
	}
	if err != nil {
		l.b.onError(err)
		from = l.to // lost, and reported
	}
	for _, it := range got {
		l.head, l.headBytes = append(l.head, it), l.headBytes+it.bytes
	}
	l.kept = len(l.head)
	l.spilled = max(l.spilled-len(got), 0)
	if l.from = from; l.from == l.to || l.spilled == 0 && !l.unsure {
		l.from, l.to, l.spilled, l.unsure = 0, 0, 0, false
		l.place()
		l.rested()
	}
}

// Done removes the observation that was taken: it is stored.
func (l *Lane) Done(obs *rollcall.Observation) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if len(l.head) == 0 || l.head[0].obs != obs {
		return // it was set aside meanwhile
	}
	l.headBytes -= l.head[0].bytes
	l.head[0] = item{}
	l.head = l.head[1:]
	l.kept = max(l.kept-1, 0)
	l.done++
	l.b.on, l.b.done = false, time.Now()
	if len(l.tail) > 0 {
		l.place()
	}
	l.b.stored()
	l.rested()
	signal(l.fewer)
	signal(l.moved)
}

// rested signals those who wait for it that nothing waits.
func (l *Lane) rested() {
	if l.len() > 0 {
		if len(l.head) > 0 {
			l.front = l.head[0].obs.AnsweredAt
		}
		return
	}
	l.head = nil
	close(l.idle)
	l.idle = make(chan struct{})
}
