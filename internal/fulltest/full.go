// Package fulltest makes values of the root package in which no field is zero,
// by reflection: a codec that forgets a field, even one that is added later,
// then returns something other than it was given.
package fulltest

import (
	"fmt"
	"reflect"
	"time"

	"rollcall"
)

// Record returns a record that can be stored, with every field set.
func Record() *rollcall.Record {
	r := &rollcall.Record{}
	fill(reflect.ValueOf(r).Elem(), "record", new(int))
	r.Tenant = "acme"
	return r
}

// Event returns an event about a participant that can be sent, with every field set.
func Event() *rollcall.Event {
	e := &rollcall.Event{}
	fill(reflect.ValueOf(e).Elem(), "event", new(int))
	e.Tenant, e.Index, e.Count = "acme", 1, 2
	return e
}

// Entry returns an entry of an answer with every field set.
func Entry() rollcall.Entry {
	var e rollcall.Entry
	fill(reflect.ValueOf(&e).Elem(), "entry", new(int))
	return e
}

// fill sets every field to a value of its own, so that two that are mixed up
// show, too. path says where a kind of field is that it has no value for.
func fill(v reflect.Value, path string, n *int) {
	*n++
	if word, ok := words[v.Type()]; ok {
		v.Set(reflect.ValueOf(word))
		return
	}
	switch v.Kind() {
	case reflect.Int64: // a duration among them: in milliseconds, as all times are told
		v.SetInt(int64(*n))
		if v.Type() == reflect.TypeFor[time.Duration]() {
			v.SetInt(int64(*n) * int64(time.Millisecond))
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %04d <é>", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), fmt.Sprintf("%s[%d]", path, i), n)
		}
	case reflect.Struct:
		fillStruct(v, path, n)
	default:
		panic(fmt.Sprintf("fulltest: %s is a %s: say here what a full one is", path, v.Type()))
	}
}

func fillStruct(v reflect.Value, path string, n *int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(1700000000000).UTC().Add(time.Duration(*n) * time.Second)))
		return
	}
	for i := range v.NumField() {
		fill(v.Field(i), path+"."+v.Type().Field(i).Name, n)
	}
}

// words are values of the types that have only some.
var words = map[reflect.Type]any{
	reflect.TypeFor[rollcall.Attendance](): rollcall.AttendancePresent,
	reflect.TypeFor[rollcall.Device]():     rollcall.DeviceOpen,
	reflect.TypeFor[rollcall.Labels]():     rollcall.Labels{"team": "blue <é>", "a.b-c_0": ""},
	reflect.TypeFor[rollcall.Status]():     rollcall.StatusStarted,
	reflect.TypeFor[rollcall.Media]():      rollcall.MediaMicMuted | rollcall.MediaMuteAll | 64,
	reflect.TypeFor[rollcall.Type]():       rollcall.ParticipantKickedOut,
	reflect.TypeFor[rollcall.Reason]():     rollcall.ReasonVanished,
	reflect.TypeFor[rollcall.Departure]():  rollcall.DepartureKickedOut,
	reflect.TypeFor[rollcall.Fact]():       rollcall.FactTrue,
	reflect.TypeFor[rollcall.Provenance](): rollcall.ProvenanceInferred,
}
