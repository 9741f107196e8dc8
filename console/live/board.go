package live

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/consume"
)

const (
	// keptFrames is how many seconds a page may be away and miss nothing.
	keptFrames = 60
	// keptItems is how many events a page begins with.
	keptItems = 200
	// framedItems is how many events a frame has at most.
	framedItems = 100
	// lingering is for how long a meeting that is over stays in the overview.
	lingering = 10 * time.Minute
)

// known is what the board reads of meetings; [consume.Meetings] is.
type known interface {
	Get(tenant, conferenceID string) (consume.Meeting, bool)
	List() []consume.Meeting
	Tenants() []string
	Health(tenant string) consume.Health
}

// id names a meeting.
type id struct{ tenant, conference string }

// board is what all pages show, and the frames that lead there. What happens
// is told to it at any time; it changes once a tick.
type board struct {
	names   namer
	version string
	run     string // makes the frames of two boards differ

	mu      sync.Mutex
	stirred map[id]time.Time // meetings that may have changed, and when they were seen so
	coming  []json.RawMessage
	missed  int
	items   []json.RawMessage // the last ones, oldest first
	blind   map[string][]blindness
	books   map[string]Book

	rows    map[string]json.RawMessage
	ended   map[id]time.Time // those that leave the overview, and when
	tenants []tenant
	strip   json.RawMessage // tenants, encoded
	link    link
	at      time.Time // of the last frame

	packer packer
	number uint64 // of the last frame; 0: there was none
	frames []packed
	whole  packed        // the board as it is after the last frame; empty: nobody has asked
	news   chan struct{} // closed with the next frame
}

// blindness is a time in which nobody looked at a shard of a tenant.
type blindness struct {
	after, before time.Time // before zero: it goes on
	why           string
	shard         int
}

func newBoard(hide bool, version string) *board {
	return &board{
		names: namer{hide}, version: version, run: strings.ToLower(rand.Text()[:10]), stirred: map[id]time.Time{},
		blind: map[string][]blindness{}, books: map[string]Book{}, rows: map[string]json.RawMessage{},
		ended: map[id]time.Time{}, news: make(chan struct{}),
	}
}

// changed notes that a meeting has changed.
func (b *board) changed(u consume.Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := id{u.Meeting.Tenant, u.Meeting.ConferenceID}
	at := u.Meeting.ObservedAt
	if u.Kind == consume.Changed && u.Event.Window.Before.After(at) {
		at = u.Event.Window.Before
	}
	if before := b.stirred[k]; before.After(at) {
		at = before
	}
	b.stirred[k] = at
}

// booked takes how the tenants' months stand.
func (b *board) booked(books []Book) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.books)
	for _, book := range books {
		b.books[book.Tenant] = book
	}
}

// tick makes the next frame of what has changed since the last one.
func (b *board) tick(now time.Time, m known, l link) {
	tenants := b.tenantsOf(m)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := frame{Now: millis(now), Link: l, Events: b.coming, Missed: b.missed}
	b.coming, b.missed, b.link, b.at = nil, 0, l, now
	for k, at := range b.stirred {
		b.renew(k, at, m, now, &f)
	}
	clear(b.stirred)
	for k, at := range b.ended {
		if now.Sub(at) > lingering {
			b.drop(k, &f)
		}
	}
	b.tenants = tenants
	if strip, err := json.Marshal(tenants); err == nil && !bytes.Equal(strip, b.strip) {
		b.strip, f.Tenants = strip, strip
	}
	b.publish("tick", f)
}

// renew puts a meeting's row in the place of the one before.
func (b *board) renew(k id, at time.Time, m known, now time.Time, f *frame) {
	meeting, ok := m.Get(k.tenant, k.conference)
	if !ok {
		b.drop(k, f)
		return
	}
	r := b.names.row(meeting, at)
	delete(b.ended, k)
	if r.Over {
		ended := meeting.ObservedAt
		if end := meeting.Info.EndTime; !end.IsZero() {
			ended = end
		}
		if b.ended[k] = ended; now.Sub(ended) > lingering {
			b.drop(k, f)
			return
		}
	}
	text, err := json.Marshal(r)
	if err != nil || bytes.Equal(text, b.rows[r.Key]) {
		return
	}
	b.rows[r.Key] = text
	f.Rows = append(f.Rows, text)
}

func (b *board) drop(k id, f *frame) {
	delete(b.ended, k)
	key := keyOf(k.tenant, k.conference)
	if _, ok := b.rows[key]; ok {
		delete(b.rows, key)
		f.Gone = append(f.Gone, key)
	}
}

// tenantsOf are the tenants as they stand.
func (b *board) tenantsOf(m known) []tenant {
	var all []tenant
	for _, name := range m.Tenants() {
		all = append(all, b.tenant(name, m.Health(name)))
	}
	return all
}

func (b *board) tenant(name string, h consume.Health) tenant {
	t := tenant{
		Name: name, Why: h.Why, Blind: h.Blind, Known: millis(h.LastGood), LastPass: millis(h.LastPass),
		Pace: h.Pace.Milliseconds(), Promise: promise(h.Pace).Milliseconds(), Tracked: h.Tracked,
	}
	if h.Blind {
		t.Since = millis(h.Since)
		t.Known = min(t.Known, t.Since)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if book, ok := b.books[name]; ok {
		t.Book = &book
	}
	return t
}

// promise is how old what is known may get before it is shown as old: one
// answer may fail, and the next one takes a moment.
func promise(pace time.Duration) time.Duration { return max(2*pace+time.Second, 3*time.Second) }

// now returns the tenants as of the last frame.
func (b *board) now() []tenant {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tenants
}

// publish encodes the frame, once for all pages, and keeps it for a while.
func (b *board) publish(event string, f frame) {
	b.number++
	b.frames = append(b.frames, b.pack(event, f))
	if len(b.frames) > keptFrames {
		b.frames = b.frames[1:]
	}
	b.whole = packed{}
	close(b.news)
	b.news = make(chan struct{})
}

func (b *board) pack(event string, f frame) packed {
	data, err := json.Marshal(f)
	if err != nil { // no value of a frame can fail
		data = []byte("{}")
	}
	return b.packer.pack([]byte(fmt.Sprintf("id: %s-%d\nevent: %s\ndata: %s\n\n", b.run, b.number, event, data)))
}

// after returns what a page gets that has read up to the frame of this id, and
// the id that it has then read up to. Where that is too long ago, or "", it is
// the whole board. next is closed when there is more.
func (b *board) after(last string) (parts []packed, reached string, next <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.number == 0 {
		return nil, last, b.news
	}
	reached = fmt.Sprintf("%s-%d", b.run, b.number)
	run, number, _ := strings.Cut(last, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if behind := b.number - n; run == b.run && err == nil && n <= b.number && behind <= uint64(len(b.frames)) {
		return b.frames[uint64(len(b.frames))-behind:], reached, b.news
	}
	if b.whole.plain == nil {
		b.whole = b.pack("whole", b.everything())
	}
	return []packed{b.whole}, reached, b.news
}

func (b *board) everything() frame {
	f := frame{Version: b.version, Now: millis(b.at), Link: b.link, Tenants: b.strip, Events: b.items}
	for _, row := range b.rows {
		f.Rows = append(f.Rows, row)
	}
	return f
}

// keyOf is what a meeting is called in the browser.
func keyOf(tenant, conferenceID string) string {
	return tenant + "/" + token(conferenceID)
}
