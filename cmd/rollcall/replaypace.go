package main

import (
	"fmt"
	"io"
	"time"
)

// pace says when an event is due that was stored at some time.
type pace struct {
	speed       float64   // 0: at once
	first, from time.Time // when the first event was stored, and when it is published
}

func (p *pace) due(stored, now time.Time) time.Time {
	if p.speed == 0 {
		return now
	}
	if p.first.IsZero() {
		p.first, p.from = stored, now
	}
	return p.from.Add(time.Duration(float64(stored.Sub(p.first)) / p.speed))
}

// patience is for how long nothing need be said.
const patience = 2 * time.Second

// progress says how far it has come, to those who wait.
type progress struct {
	out    io.Writer
	redraw bool // on a terminal: in the same line
	next   time.Time
	shown  bool
}

func (p *progress) show(now time.Time, done replayed) {
	if now.Before(p.next) {
		return
	}
	p.next, p.shown = now.Add(5*patience), true
	front, end := "", "\n"
	if p.redraw {
		front, end, p.next = "\r\x1b[K", "", now.Add(patience)
	}
	_, _ = fmt.Fprintf(p.out, "%srollcall: published %s, up to %s%s", front, counted(int64(done.Events), "event"), local(done.To), end)
}

// end leaves the line.
func (p *progress) end() {
	if p.shown && p.redraw {
		_, _ = io.WriteString(p.out, "\n")
	}
}
