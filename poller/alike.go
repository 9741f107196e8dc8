package poller

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// When everything is refused in a way that could also be about single meetings,
// such as a code that nobody documents, it is the tenant's: no batch is searched
// for who is to blame, nobody is put into quarantine, and the tenant leaves out
// every other pass. The passes between ask little, and find out soon when it is over.

const (
	// mostSamples is how many meetings are asked about by themselves when a
	// batch is refused, until that counts as everybody's; once it does, one.
	mostSamples = 4
	// The tenant is held back for no less and no more than this.
	shortestRefused, longestRefused = time.Second, 5 * time.Minute
)

// vouched reports whether a batch was refused because of some of its meetings:
// others are accepted meanwhile. One for whom nobody can vouch is to blame itself
// unless it was answered before.
func (r *run) vouched(ids []string) bool {
	switch {
	case r.ask.Shard < 0: // the meeting's own shard will find out
		return true
	case r.witness != "":
		return len(ids) == 1 || r.still(r.witness)
	}
	most := mostSamples
	if r.desk.refusals > 0 {
		most = 1
	}
	tried := 0
	for ; tried < most; tried++ {
		id := r.sample(ids, tried > 0 && tried == most-1)
		if id == "" {
			break
		}
		if r.vouches(id) {
			r.accuse()
			return true
		}
	}
	if tried == 0 && r.halt == nil {
		m := r.desk.memory.of(ids[0])
		return m == nil || len(m.raw) == 0
	}
	return false
}

// still reports whether one that this pass has an answer about is accepted as
// before. What it is answered is not needed.
func (r *run) still(id string) bool {
	_, _, err := r.query([]string{id})
	return r.halt == nil && ClassOf(err) != ClassBadRequest
}

// vouches asks about one meeting, and reports whether it is accepted.
func (r *run) vouches(id string) bool {
	one := []string{id}
	v, class, err := r.put(one)
	switch v {
	case refused:
		r.closed(one, class)
	case rejected:
		r.sampled[id] = err
		r.unanswered(class, id)
		return false
	}
	return r.halt == nil && v != failed
}

// accuse puts those into quarantine that were refused by themselves, since
// others are not.
func (r *run) accuse() {
	for id, err := range r.sampled {
		if err != nil {
			r.isolate(id, ClassBadRequest, err)
		}
	}
}

// sample picks a meeting of a batch, or beside it where that is wanted, or the
// batch has no other. It is a far one from that before: where many are refused,
// those that are not are found soon. There may be none: "".
func (r *run) sample(batch []string, beside bool) string {
	within, others := r.unsampled(batch), r.unsampled(without(r.healthy, batch))
	if len(batch) == 1 {
		within = nil
	}
	among := within
	if len(within) == 0 || beside && len(others) > 0 {
		among = others
	}
	if len(among) == 0 {
		return ""
	}
	const golden = 0.6180339887498949
	_, place := math.Modf(golden * float64(r.desk.samples))
	r.desk.samples++
	id := among[int(place*float64(len(among)))]
	if r.sampled == nil {
		r.sampled = make(map[string]error)
	}
	r.sampled[id] = nil
	return id
}

// unsampled gives the meetings of a batch but those that were asked about by
// themselves.
func (r *run) unsampled(ids []string) []string {
	sampled := func(id string) bool { _, was := r.sampled[id]; return was }
	if !slices.ContainsFunc(ids, sampled) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), sampled)
}

// refuseAll ends the pass, and leaves out the next one, because everybody is
// refused alike.
func (r *run) refuseAll(err error) {
	if r.halt != nil {
		return
	}
	r.desk.refusals++
	err = fmt.Errorf("everything is refused alike, so no meeting is to blame: %w", err)
	pause := min(max(r.between+r.between/4, shortestRefused), longestRefused)
	r.p.holdBack(ClassBadRequest, pause, err)
	r.stop(ClassBadRequest, err)
}

func (p *Poller) holdBack(class Class, pause time.Duration, err error) {
	now := p.now()
	p.mu.Lock()
	p.hold.strike(now, class, now.Add(pause), err)
	p.mu.Unlock()
	p.tellHeld(class, now.Add(pause))
}
