package poller

import (
	"time"

	"go.uber.org/zap"
)

// mostRefusals is how many queries in a row may be refused as bad before a
// pass concludes that it is not about single meetings. Halving down to several
// bad ones side by side stays below.
const mostRefusals = 32

// search finds the meetings because of which a batch was refused, by halving.
// When one half is accepted the other holds them, and is halved without asking.
func (r *run) search(ids []string, class Class) {
	if len(ids) == 1 {
		r.later = append(r.later, followUp{ids[0], class})
		return
	}
	left, right := ids[:len(ids)/2], ids[len(ids)/2:]
	if r.batch(left) {
		r.search(right, class)
		return
	}
	r.batch(right)
}

// narrow halves a batch that was refused as bad: because of single meetings,
// or because it was too large, which shows when both halves are accepted. It
// says whether all meetings were accepted in the end.
func (r *run) narrow(ids []string, err error) bool {
	r.refusals++
	if r.refusals >= mostRefusals {
		r.trouble = ClassBadRequest
		r.stop(ClassBadRequest, err)
		r.skip(ids...)
		return false
	}
	if len(ids) == 1 {
		r.isolate(ids[0], ClassBadRequest, err)
		return false
	}
	left, right := ids[:len(ids)/2], ids[len(ids)/2:]
	accepted := r.batch(left)
	accepted = r.batch(right) && accepted
	if accepted {
		r.learn(len(right))
	}
	return accepted
}

// isolate puts a meeting that is refused by itself into quarantine.
func (r *run) isolate(id string, class Class, err error) {
	until := r.p.isolate(id, r.ask.Shard, class)
	r.unanswered(class, id)
	r.blame(ClassBadRequest, err)
	r.p.logger().Warn("quarantine a meeting that is refused by itself",
		zap.String("meeting", id), zap.Time("until", until), zap.Error(err))
}

func (p *Poller) isolate(id string, shard int, class Class) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.quarantine.lock(id, shard, class, wall())
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
	return p.limit.learn(time.Now(), size)
}
