package wire_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/internal/fulltest"
	"rollcall/wire"
)

// A field that is added to a record, a meeting or a participant and forgotten
// in one of the codecs shows here.
func TestEveryFieldOfARecordIsStored(t *testing.T) {
	want := fulltest.Record()
	data, err := wire.EncodeRecord(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func([]byte) (*rollcall.Record, error){
		"DecodeRecord":    wire.DecodeRecord,
		"by reflection":   wire.DecodeAnyForm,
		"the fast reader": func(data []byte) (*rollcall.Record, error) { return wire.ReadRecord(data), nil },
	} {
		got, err := read(data)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestEveryFieldOfAnEventIsSent(t *testing.T) {
	want := *fulltest.Event()
	data := wire.AppendEvent(nil, &want)
	got, err := wire.DecodeEvent(data)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("DecodeEvent: %v\n%s", err, diff)
	}
	got, known, err := wire.ParseEvent(data)
	if diff := cmp.Diff(want, got); err != nil || diff != "" || !known {
		t.Errorf("ParseEvent: %v\n%s", err, diff)
	}
}

// Events of one poll share an envelope. A field that is neither compared by
// Fits nor written by Append would be told of all as it is of the first.
func TestNoFieldIsSharedThatDiffers(t *testing.T) {
	first := fulltest.Event()
	own := func(_ int, write func([]byte) []byte) []byte { return write(nil) }
	envelope := wire.NewEnvelope(own, "", first)
	if !envelope.Fits(first) {
		t.Fatal("an event does not fit its own envelope")
	}
	for i := range reflect.TypeFor[rollcall.Event]().NumField() {
		other := *first
		reflect.ValueOf(&other).Elem().Field(i).SetZero()
		if !envelope.Fits(&other) {
			continue
		}
		if diff := cmp.Diff(string(wire.AppendEvent(nil, &other)), string(envelope.Append(nil, &other))); diff != "" {
			t.Errorf("another %s:\n%s", reflect.TypeFor[rollcall.Event]().Field(i).Name, diff)
		}
	}
}
