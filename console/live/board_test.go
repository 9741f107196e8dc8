package live

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/consume"
)

// fake is what a watch knows.
type fake struct {
	meetings map[id]consume.Meeting
	health   map[string]consume.Health
}

func (f *fake) Get(tenant, conference string) (consume.Meeting, bool) {
	m, ok := f.meetings[id{tenant, conference}]
	return m, ok
}

func (f *fake) List() (all []consume.Meeting) {
	for _, m := range f.meetings {
		all = append(all, m)
	}
	return all
}

func (f *fake) Tenants() (all []string) {
	for name := range f.health {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (f *fake) Health(tenant string) consume.Health { return f.health[tenant] }

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// newFake has one tenant that is looked at.
func newFake() *fake {
	return &fake{meetings: map[id]consume.Meeting{}, health: map[string]consume.Health{
		"acme": {Why: "ok", LastGood: noon, LastPass: noon, Pace: 15 * time.Second, Tracked: 1},
	}}
}

// put stores a meeting with these people present, and tells the board.
func (f *fake) put(b *board, conference string, people ...string) {
	m := consume.Meeting{
		Tenant: "acme", ConferenceID: conference, Epoch: 1, Sequence: uint64(len(people)), ObservedAt: noon,
		Info: rollcall.Conference{Title: "Review", Status: rollcall.StatusStarted, StartTime: noon},
	}
	for _, name := range people {
		m.People = append(m.People, rollcall.Participant{Key: name, UserID: "id-" + name, Nick: name, Attendance: rollcall.AttendancePresent, Mic: rollcall.DeviceOpen})
	}
	f.meetings[id{"acme", conference}] = m
	b.changed(consume.Update{Kind: consume.Found, Meeting: m})
}

// read returns the frames in parts of the stream, and the name of the last event.
func read(t *testing.T, parts []packed) (frames []frame, name string) {
	t.Helper()
	for _, part := range parts {
		lines := strings.SplitN(string(part.plain), "\n", 3)
		name = strings.TrimPrefix(lines[1], "event: ")
		var f frame
		if err := json.Unmarshal([]byte(strings.TrimPrefix(strings.TrimSpace(lines[2]), "data: ")), &f); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	return frames, name
}

func TestAFrameHoldsWhatHasChanged(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	if parts, _, _ := b.after(""); parts != nil {
		t.Fatal("there is something before the first frame")
	}
	f.put(b, "c1", "Mei")
	b.tick(noon, f, link{OK: true})
	parts, at, next := b.after("")
	frames, name := read(t, parts)
	if name != "whole" || len(frames) != 1 || len(frames[0].Rows) != 1 || frames[0].Version != "v1" || frames[0].Tenants == nil {
		t.Fatalf("%s: %+v", name, frames)
	}
	var got row
	if err := json.Unmarshal(frames[0].Rows[0], &got); err != nil || got.Key != "acme/c1" || got.Present != 1 || got.Mics != 1 || got.People[0].Name != "Mei" {
		t.Fatalf("%+v, %v", got, err)
	}
	f.put(b, "c1", "Mei") // as it was
	f.put(b, "c2")
	b.tick(noon.Add(time.Second), f, link{OK: true})
	select {
	case <-next:
	default:
		t.Error("nobody is told of the next frame")
	}
	parts, at, _ = b.after(at)
	if frames, name = read(t, parts); name != "tick" || len(frames) != 1 || len(frames[0].Rows) != 1 || frames[0].Tenants != nil {
		t.Fatalf("%s: %+v", name, frames)
	}
	delete(f.meetings, id{"acme", "c2"})
	b.changed(consume.Update{Kind: consume.Dropped, Meeting: consume.Meeting{Tenant: "acme", ConferenceID: "c2"}})
	b.tick(noon.Add(2*time.Second), f, link{OK: true})
	parts, _, _ = b.after(at)
	if frames, _ = read(t, parts); !slices.Equal(frames[0].Gone, []string{"acme/c2"}) {
		t.Fatalf("%+v", frames)
	}
}

// Whoever was away for less than a minute misses nothing and gets nothing twice;
// others get everything.
func TestAPageGoesOnWhereItWas(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	var ids []string
	for i := range keptFrames + 10 {
		b.tick(noon.Add(time.Duration(i)*time.Second), f, link{OK: true})
		_, at, _ := b.after("")
		ids = append(ids, at)
	}
	last := len(ids) - 1
	for _, c := range []struct {
		after string
		name  string
		parts int
	}{
		{ids[last], "", 0},
		{ids[last-1], "tick", 1},
		{ids[last-keptFrames], "tick", keptFrames},
		{ids[last-keptFrames-1], "whole", 1},
		{"other-70", "whole", 1},
		{b.run + "-71", "whole", 1},
		{b.run + "-x", "whole", 1},
		{"", "whole", 1},
		{b.run + "-18446744073709551615", "whole", 1},
	} {
		parts, reached, _ := b.after(c.after)
		if _, name := read(t, parts); name != c.name || len(parts) != c.parts || reached != ids[last] {
			t.Errorf("after %q: %d of %q up to %s", c.after, len(parts), name, reached)
		}
	}
}

// One encoding suits every page, wherever it begins.
func TestTheStreamIsOneOfGzip(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	var plain, packed bytes.Buffer
	packed.Write(gzipHeader())
	at := ""
	for i := range 20 {
		f.put(b, fmt.Sprint("c", i%3), slices.Repeat([]string{"李雷"}, i)...)
		b.tick(noon.Add(time.Duration(i)*time.Second), f, link{OK: true})
		parts, reached, _ := b.after(at)
		for _, part := range parts {
			plain.Write(part.plain)
			packed.Write(part.deflated)
		}
		at = reached
	}
	reader, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	if !errors.Is(err, io.ErrUnexpectedEOF) { // the stream goes on
		t.Error(err)
	}
	if !bytes.Equal(got, plain.Bytes()) {
		t.Errorf("%d bytes come out of %d", len(got), plain.Len())
	}
}

func TestAMeetingThatIsOverLeavesTheOverview(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	f.put(b, "c1", "Mei")
	m := f.meetings[id{"acme", "c1"}]
	m.Over, m.People, m.Info.Status, m.Info.EndTime = true, nil, rollcall.StatusEnded, noon
	f.meetings[id{"acme", "c1"}] = m
	b.tick(noon.Add(lingering), f, link{OK: true})
	if len(b.rows) != 1 {
		t.Fatalf("%d rows", len(b.rows))
	}
	b.tick(noon.Add(lingering+time.Second), f, link{OK: true})
	if len(b.rows) != 0 || len(b.ended) != 0 {
		t.Errorf("%d rows, %d that are over", len(b.rows), len(b.ended))
	}
	b.changed(consume.Update{Meeting: m}) // it is found again, as at a start
	b.tick(noon.Add(time.Hour), f, link{OK: true})
	if len(b.rows) != 0 || len(b.ended) != 0 {
		t.Errorf("found again: %d rows, %d that are over", len(b.rows), len(b.ended))
	}
}

// A meeting is known as long as anybody has looked at it, also where nobody
// looks at the rest of the tenant; the promise is of the pace.
func TestWhatATenantKnows(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	f.health["acme"] = consume.Health{Blind: true, Why: "throttled", Since: noon.Add(-time.Hour), LastGood: noon, Pace: time.Second}
	b.booked([]Book{{Tenant: "acme", Limit: 5000, Spent: 10}})
	b.tick(noon, f, link{})
	got := b.now()[0]
	if got.Known != millis(noon.Add(-time.Hour)) || got.Since != got.Known || got.Promise != 3000 || got.Book == nil || got.Book.Spent != 10 {
		t.Errorf("%+v", got)
	}
	for pace, want := range map[time.Duration]time.Duration{0: 3 * time.Second, time.Second: 3 * time.Second, 15 * time.Second: 31 * time.Second, time.Hour: 2*time.Hour + time.Second} {
		if got := promise(pace); got != want {
			t.Errorf("promise at %s: %s", pace, got)
		}
	}
}

func TestMoreEventsThanAFrameHoldsAreCounted(t *testing.T) {
	b, f := newBoard(false, "v1"), newFake()
	for i := range framedItems + keptItems {
		b.add(item{ID: fmt.Sprint(i)})
	}
	b.tick(noon, f, link{OK: true})
	parts, _, _ := b.after("")
	whole, _ := read(t, parts)
	if len(whole[0].Events) != keptItems || b.frames[0].plain == nil {
		t.Errorf("a page begins with %d events", len(whole[0].Events))
	}
	tick, _ := read(t, b.frames[:1])
	if len(tick[0].Events) != framedItems || tick[0].Missed != keptItems {
		t.Errorf("a frame has %d events, and misses %d", len(tick[0].Events), tick[0].Missed)
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Mei Lin": "M. L.", "李雷": "李.", "anna": "A.", "Anna Maria Kim": "A. K.", "<b>x": "B. X.", "": "?", "?!": "?", "007": "0.",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// BenchmarkASecondOfFiftyPages is what a second costs at 1,000 meetings of 20
// people, of which 50 change: one second in ns is one core.
func BenchmarkASecondOfFiftyPages(b *testing.B) {
	board, f := newBoard(false, "v1"), newFake()
	people := make([]string, 20)
	for i := range people {
		people[i] = fmt.Sprint("Somebody ", i)
	}
	for i := range 1000 {
		f.put(board, fmt.Sprint("c", i), people...)
	}
	board.tick(noon, f, link{OK: true})
	ids := make([]string, 50)
	for n := 0; b.Loop(); n++ {
		for i := range 50 {
			f.put(board, fmt.Sprint("c", (n*50+i)%1000), people[:1+(n+i)%20]...)
		}
		board.tick(noon.Add(time.Duration(n)*time.Second), f, link{OK: true})
		for i := range ids {
			var parts []packed
			if parts, ids[i], _ = board.after(ids[i]); len(parts) == 0 {
				b.Fatal("nothing came")
			}
		}
	}
}
