package service

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"rollcall/console"
	"rollcall/publisher"
)

// How often the disk is looked at; after how long without an answer it hangs; and
// how long there must be room again before the process ends for it.
const (
	diskEvery = 5 * time.Second
	diskHangs = time.Minute
	roomFor   = 15 * time.Second
)

// stored is what the embedded server stores on.
type stored interface {
	Disk() (free, total int64, err error)
	WriteError() error
}

// disk watches what the embedded server stores on. nats-server keeps a write error
// until it is started again, even when there is room again: then the process
// ends, and its supervisor starts it again.
type disk struct {
	dir    string
	store  stored
	log    *zap.Logger
	latest atomic.Pointer[look] // nil before the first one
}

// look is what was found at an instant.
type look struct {
	at          time.Time
	free, total int64 // bytes
	failed      error // why free and total are not known
	kept        error // what the server could not write
}

// run looks until ctx ends, or returns the error that the process is to end with.
func (d *disk) run(ctx context.Context) error {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	said, room := "", time.Time{}
	for {
		now := d.look()
		d.latest.Store(&now)
		if said = d.tell(now, said); now.past(&room) {
			return fmt.Errorf("stop, to be started again: %s", d.words(now))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (d *disk) look() look {
	now := look{at: time.Now(), kept: d.store.WriteError()}
	now.free, now.total, now.failed = d.store.Disk()
	return now
}

// past reports whether a new start is all that is needed: a write error is kept,
// and there has been room since long enough. A start on a full disk would tear
// what a batch has begun.
func (l look) past(room *time.Time) bool {
	if l.kept == nil || !l.roomy() {
		*room = time.Time{}
		return false
	}
	if room.IsZero() {
		*room = l.at
	}
	return l.at.Sub(*room) >= roomFor
}

// roomy reports whether batches can be stored, as far as the disk goes.
func (l look) roomy() bool {
	return l.failed == nil && (l.total <= 0 || l.free > publisher.Reserve(l.total))
}

// tell logs what has changed since it was said, and returns what is said now.
func (d *disk) tell(now look, said string) string {
	state := fmt.Sprint(now.failed, now.kept, now.roomy())
	switch {
	case state == said:
	case now.kept != nil:
		d.log.Error("embedded NATS cannot store", zap.String("disk", d.words(now)))
	case !now.roomy():
		d.log.Warn("disk of data_dir nearly full", zap.String("disk", d.words(now)))
	case said != "":
		d.log.Info("disk of data_dir has room again", zap.String("disk", d.words(now)))
	}
	return state
}

// words say how the disk does, and what to do about it.
func (d *disk) words(now look) string {
	words := fmt.Sprintf("the disk of data_dir %s: %s", d.dir, publisher.Left(now.free, now.total))
	switch {
	case now.failed != nil:
		words = now.failed.Error()
	case !now.roomy():
		words = fmt.Sprintf("the disk of data_dir %s is nearly full, free some space: %s", d.dir, publisher.Left(now.free, now.total))
	}
	if now.kept != nil {
		words += fmt.Sprintf("; the embedded NATS keeps a write error until it is started again: %v", now.kept)
	}
	return words
}

// health is the last look, which takes no time even where the disk hangs.
func (d *disk) health() console.Check {
	now := d.latest.Load()
	switch {
	case now == nil:
		return console.Check{Name: "disk", Detail: "the disk of data_dir " + d.dir + " has not answered yet"}
	case time.Since(now.at) > diskHangs:
		return console.Aged("disk", time.Since(now.at), diskHangs, "the disk of data_dir "+d.dir+" does not answer")
	}
	return console.Check{Name: "disk", OK: now.roomy() && now.kept == nil, Detail: d.words(*now)}
}

// blamed returns the words about the disk where an error of the ledger may come of
// it, and "" otherwise. The embedded server has no limit of its own: what it lacks
// is room on the disk. d may be nil.
func (d *disk) blamed(err error) string {
	if d == nil || d.latest.Load() == nil {
		return ""
	}
	now := *d.latest.Load()
	api, is := errors.AsType[*jetstream.APIError](err)
	if is && (api.ErrorCode == 10023 || api.ErrorCode == 10047) || now.kept != nil || !now.roomy() {
		return d.words(now)
	}
	return ""
}
