package wire

import "reflect"

// The types by which the JSON on the bus is read and written, for those who
// describe it: the schemas of the contract are made from them.

// EventShape is the type of an event.
func EventShape() reflect.Type { return reflect.TypeFor[eventJSON]() }

// WatchShape is the type of a watch event.
func WatchShape() reflect.Type { return reflect.TypeFor[watchJSON]() }

// RecordShape is the type of a record.
func RecordShape() reflect.Type { return reflect.TypeFor[recordJSON]() }

// StatusShape is the type of a status.
func StatusShape() reflect.Type { return reflect.TypeFor[statusJSON]() }
