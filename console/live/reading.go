package live

import (
	"context"
	"sync"
	"time"

	"rollcall/consume"
	"rollcall/internal/streak"
	"rollcall/internal/wait"
)

const (
	// tick is the distance of two frames: nothing on the page changes more often.
	tick = time.Second
	// answerWithin is how long NATS may take to answer before what is known counts
	// as old, and probeEvery the time from an answer to the next question. With
	// the tick they make less than three seconds.
	answerWithin = 1200 * time.Millisecond
	probeEvery   = 500 * time.Millisecond
	// booksEvery is the distance of two looks at budgets and workers.
	booksEvery = 5 * time.Second
	// history is how far the feed looks back when somebody begins to look.
	history = time.Hour
)

// reading is what is read while somebody looks.
type reading struct {
	page     *Page
	board    *board
	timeline *timelines
	meetings *consume.Meetings // set by run, before synced closes
	synced   chan struct{}

	mu      sync.Mutex
	link    link
	trouble streak.Log
}

func newReading(p *Page) *reading {
	r := &reading{page: p, board: newBoard(p.cfg.HideNames, p.files.Version), synced: make(chan struct{})}
	r.timeline = newTimelines(p.cfg, r.board.watches)
	r.trouble = streak.Log{Logger: p.cfg.Logger, What: "reading for the live page"}
	r.link = link{OK: p.cfg.Conn.IsConnected()}
	return r
}

// run reads until ctx ends or nobody looks any more.
func (r *reading) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	cfg := r.page.cfg
	meetings, err := consume.Watch(ctx, cfg.Conn, consume.Options{
		Names: cfg.Names, JetStream: cfg.JetStream, OnChange: r.board.changed, OnTrouble: r.failed,
	})
	if err != nil { // the options are wrong, and stay so
		r.failed(err)
		<-ctx.Done()
		stop()
		return
	}
	r.meetings = meetings
	var others sync.WaitGroup
	others.Go(func() { r.follow(ctx) })
	others.Go(func() { r.probe(ctx) })
	others.Go(func() { r.account(ctx) })
	r.frames(ctx)
	stop()
	others.Wait()
	for range meetings.Changed() { // until it is closed: nothing is told any more
		continue
	}
}

// frames makes a frame each second.
func (r *reading) frames(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	synced := r.meetings.Synced()
	for {
		r.board.tick(time.Now(), r.meetings, r.linked())
		select {
		case <-ctx.Done():
			return
		case <-synced:
			synced = nil
			close(r.synced)
			r.mu.Lock()
			r.link.Synced = true
			r.mu.Unlock()
		case now := <-ticker.C:
			r.page.charts.sample(now, r.board.now())
			if r.page.retire(now) {
				return
			}
		}
	}
}

// follow feeds the board with what happens, from an hour ago on.
func (r *reading) follow(ctx context.Context) {
	cfg := r.page.cfg
	feed := consume.Feed{
		Names: cfg.Names, JetStream: cfg.JetStream, Watch: true, Since: time.Now().Add(-history), OnTrouble: r.failed,
	}
	_ = consume.Follow(ctx, cfg.Conn, feed, func(data []byte) error { // it ends with ctx alone
		r.board.happened(data)
		return nil
	})
}

// probe asks NATS again and again whether it is there: a connection that was
// cut off says nothing for minutes.
func (r *reading) probe(ctx context.Context) {
	for {
		asked, cancel := context.WithTimeout(ctx, answerWithin)
		err := r.page.cfg.Conn.FlushWithContext(asked)
		cancel()
		r.answered(time.Now(), err)
		if !wait.For(ctx, probeEvery) {
			return
		}
	}
}

func (r *reading) answered(now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch ok := err == nil; {
	case ok:
		r.link.OK, r.link.Since = true, 0
	case r.link.OK || r.link.Since == 0:
		r.link.OK, r.link.Since = false, millis(now.Add(-answerWithin))
	}
	if err == nil && r.link.trouble.Before(now.Add(-2*checkedEvery)) && r.link.Why != "" {
		r.link.Why = ""
		r.trouble.Note(nil)
	}
}

// checkedEvery is the longest pause of a reader that tries again.
const checkedEvery = 10 * time.Second

// failed takes what went wrong and is being tried again.
func (r *reading) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.link.Why, r.link.trouble = err.Error(), time.Now()
	r.trouble.Note(err)
}

func (r *reading) linked() link {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.link
	now.OK = now.OK && r.page.cfg.Conn.IsConnected()
	return now
}

// account reads budgets and workers every few seconds.
func (r *reading) account(ctx context.Context) {
	if r.page.cfg.Books == nil {
		return
	}
	trouble := streak.Log{Logger: r.page.cfg.Logger, What: "reading budgets and workers for the live page"}
	for {
		books, err := r.page.cfg.Books(ctx)
		if ctx.Err() != nil {
			return
		}
		trouble.Note(err)
		if err == nil {
			r.board.booked(books)
		}
		if !wait.For(ctx, booksEvery) {
			return
		}
	}
}
