package ledger

import (
	"bytes"
	"fmt"
	"testing"
)

func add(d *Draft, room int, text string) []byte {
	data := d.Write(room, func(dst []byte) []byte { return append(dst, text...) })
	d.Messages = append(d.Messages, Message{Subject: "s", Data: data})
	return data
}

func TestDraftsPayloadsStayApart(t *testing.T) {
	var d Draft
	for round := range 3 {
		var want []string
		for i := range 2000 {
			text := fmt.Sprintf("%d of round %d %s", i, round, bytes.Repeat([]byte("x"), i%200))
			want = append(want, text)
			data := add(&d, i%3*100, text) // too little room, and enough
			_ = append(data, "overrun"...)
		}
		for i, m := range d.Messages {
			if string(m.Data) != want[i] {
				t.Fatalf("round %d: payload %d is %q, want %q", round, i, m.Data, want[i])
			}
		}
		d.Reset()
	}
}

// A draft waits in a pool: it must keep neither large pages nor what was taken back.
func TestDraftsKeepLittle(t *testing.T) {
	var d Draft
	add(&d, 0, "one")
	add(&d, 0, "two")
	d.Messages = d.Messages[:1]
	d.Reset()
	for _, m := range d.Messages[:cap(d.Messages)] {
		if m.Data != nil || m.Subject != "" {
			t.Errorf("%q is still there", m.Data)
		}
	}
	d.Write(2*mostKept, func(dst []byte) []byte { return dst })
	d.Messages = make([]Message, 1, 10*MaxBatchMessages)
	if d.Reset(); cap(d.page) > mostKept || cap(d.Messages) > 2*MaxBatchMessages {
		t.Errorf("it keeps %d bytes and %d messages", cap(d.page), cap(d.Messages))
	}
}
