//go:build unix

package endtoend_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
)

// TestThreeProcesses is the shortest of the suites: a simulator in which only
// happens what is asked for, a broker and a worker.
func TestThreeProcesses(t *testing.T) {
	w := newWorld(t, "--meetings", "2", "--rate", "0")
	heard := subscribe(t, w.conn)
	w.site("a", w.proxy.URL()).start()
	w.listen()
	w.polled(1)
	id := w.sim.ids[0]
	w.sim.act("join", id, map[string]any{"userId": "mei"})
	w.sim.act("mic_on", id, map[string]any{"userId": "mei"})
	w.sim.act("call", id, map[string]any{"nick": "+49 30 1"})
	w.polled(2)
	w.sim.act("kick", id, map[string]any{"userId": "mei"})
	w.sim.act("rename", id, map[string]any{"title": "周会 <b>"})
	w.sim.act("end", w.sim.ids[1], nil)
	w.polled(2)
	v := w.verdict()
	v.report(t)
	sameEvents(t, v, map[string][]stored{"the plain subscriber": heard.messages()})
	for _, id := range w.sim.ids {
		if got, want := w.recorded(id), w.sim.truth(id); !reflect.DeepEqual(got, want) {
			t.Errorf("the record of %s says\n%s\nthe simulator\n%s", id, got, want)
		}
	}
	for kind, want := range map[string]int{
		"participant.kicked_out": 1, "participant.joining": 1, "meeting.title_changed": 1, "meeting.ended": 0, "participant.mic_opened": 1,
	} {
		if n := count(v, id, kind); n < want || want == 0 && n > 0 {
			t.Errorf("%d polls told of %s, want %d", n, kind, want)
		}
	}
}

func TestLongSubscribersAgree(t *testing.T) {
	long(t)
	t.Parallel()
	for seed, style := range []string{"status", "omitted", "resource_closed"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "--meetings", "5", "--people", "12", "--rate", "30", "--end-style", style, "--seed", fmt.Sprint(seed+1))
			heard := subscribe(t, w.conn)
			w.site("a", w.proxy.URL()).start()
			w.listen()
			consumed := consume(t, w.js)
			mirror(t, w.js)
			w.polled(5)
			ended := w.sim.ids[:2]
			for _, id := range ended {
				w.sim.act("end", id, nil)
			}
			for _, id := range ended {
				eventually(t, "the end of "+id+" is stored", func() bool { return w.recorded(id).Status == "ended" })
			}
			w.polled(4)
			v := w.verdict()
			events := below(whole(t, w.js, "MEETINGS"), "meetings.event.")
			eventually(t, "every subscriber has everything", func() bool {
				return len(heard.messages()) >= len(events) && len(consumed.messages()) >= len(events) &&
					mirrored(t, w) >= len(events)
			})
			sameEvents(t, v, map[string][]stored{
				"the plain subscriber": heard.messages(), "the consumer": consumed.messages(), "the mirror": whole(t, w.js, "MIRROR"),
			})
			for _, id := range ended {
				if n := count(v, id, "meeting.ended"); n != 1 {
					t.Errorf("meeting %s ended %d times", id, n)
				}
			}
			v.report(t)
		})
	}
}

func mirrored(t *testing.T, w *world) int {
	info, err := stream(t, w.js, "MIRROR").Info(t.Context())
	if err != nil {
		return 0
	}
	return int(info.State.Msgs)
}

// sameEvents checks that each subscriber got, of each meeting, the very bytes
// that are stored, in their order.
func sameEvents(t *testing.T, v *verdict, got map[string][]stored) {
	t.Helper()
	want := map[string][]string{}
	for id, c := range v.courses {
		for _, l := range c.looks {
			for _, m := range l.stored {
				want[id] = append(want[id], m.subject+" "+string(m.data))
			}
		}
	}
	for who, messages := range got {
		have := map[string][]string{}
		for _, m := range messages {
			e, err := decode[event](bytes.Clone(m.data))
			if err != nil {
				t.Errorf("%s got %q: %v", who, m.data, err)
			}
			have[e.Data.ConferenceID] = append(have[e.Data.ConferenceID], m.subject+" "+string(m.data))
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s got something else than is stored: %d events of %d", who, len(messages), total(want))
		}
	}
}

func total(of map[string][]string) (n int) {
	for _, list := range of {
		n += len(list)
	}
	return n
}

// count is how often a kind of event happened to a meeting.
func count(v *verdict, id, kind string) (n int) {
	if v.courses[id] == nil {
		return 0
	}
	for i := range v.courses[id].looks {
		if v.courses[id].looks[i].has(kind) {
			n++
		}
	}
	return n
}
