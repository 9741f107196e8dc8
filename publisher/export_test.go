package publisher

import "runtime"

// AwaitQueued waits until so many callers wait for the batch that is under way.
func AwaitQueued(p *Publisher, callers int) {
	for {
		p.queue.mu.Lock()
		waiting := len(p.queue.waiting)
		p.queue.mu.Unlock()
		if waiting == callers {
			return
		}
		runtime.Gosched()
	}
}
