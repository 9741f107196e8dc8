package poller

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// mostRefusals is how many queries in a row may be refused as bad before a
// pass concludes that it is not about single meetings. Halving down to several
// bad ones side by side stays below.
const mostRefusals = 32

// rejected deals with a batch that was refused as bad. Whether because of some
// of its meetings shows with others: what they meet alike is not about them.
func (r *run) rejected(ids []string, err error) bool {
	if !r.vouched(ids) {
		r.refuseAll(err)
		r.skip(r.halt, ids...)
		return false
	}
	rest := r.unsampled(ids)
	if len(rest) == len(ids) {
		return r.narrow(ids, err)
	}
	return len(rest) == 0 || r.part(rest) // who was to blame may be found already
}

// part asks about a part of a batch that was refused as bad.
func (r *run) part(ids []string) bool {
	v, class, err := r.put(ids)
	switch v {
	case refused:
		r.closed(ids, class)
	case rejected:
		return r.narrow(ids, err)
	}
	return v == accepted
}

// narrow halves a batch that was refused as bad: because of single meetings,
// or because it was too large, which shows when both halves are accepted. It
// says whether all meetings were accepted in the end.
func (r *run) narrow(ids []string, err error) bool {
	r.refusals++
	if r.refusals >= mostRefusals {
		r.stop(ClassBadRequest, err)
		r.skip(r.halt, ids...)
		return false
	}
	if len(ids) == 1 {
		r.isolate(ids[0], ClassBadRequest, err)
		return false
	}
	left, right := ids[:len(ids)/2], ids[len(ids)/2:]
	all := r.part(left)
	all = r.part(right) && all
	if all {
		r.learn(len(right))
	}
	return all
}

// isolate puts a meeting that is refused by itself into quarantine.
func (r *run) isolate(id string, class Class, err error) {
	r.unanswered(class, id)
	r.fault(err)
	if r.ask.Shard < 0 {
		return // the meeting's own shard will find it
	}
	until, again := r.lock(id, class)
	level := zapcore.WarnLevel
	if again {
		level = zapcore.DebugLevel
	}
	r.p.logger().Log(level, "quarantine a meeting that is refused by itself",
		zap.String("meeting", id), zap.Time("until", until), zap.Error(err))
}

func (r *run) lock(id string, class Class) (until time.Time, again bool) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	until = r.p.quarantine.lock(id, r.ask.Shard, class, r.p.now())
	r.apart(id)
	return until, r.p.quarantine.cells[id].refusals > 1
}

// acquit ends the quarantine of meetings that were accepted.
func (r *run) acquit(ids []string) {
	for _, id := range r.p.acquit(ids) {
		r.p.logger().Info("release a meeting from quarantine", zap.String("meeting", id))
	}
}

func (p *Poller) acquit(ids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.quarantine.release(ids)
}

// learn notes that larger batches are refused.
func (r *run) learn(size int) {
	if r.p.learn(size) {
		r.p.logger().Warn("ask about fewer meetings at once: larger batches are refused; set poll.batch_size",
			zap.Int("batch_size", size))
	}
}

func (p *Poller) learn(size int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit.learn(p.now(), size)
}
