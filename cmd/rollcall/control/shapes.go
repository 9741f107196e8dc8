package control

import "reflect"

// RequestShape is the type of a request, for descriptions of the service; not
// every verb takes every member, see [Members].
func RequestShape() reflect.Type { return reflect.TypeFor[request]() }

// ErrorShape is the type of an answer that is an error.
func ErrorShape() reflect.Type { return reflect.TypeFor[errorBody]() }

// Verbs are what the service can be asked for.
func Verbs() []string { return verbs() }

// Members are the members that the request of a verb may have; all but the first
// may be missing, and that of a list.
func Members(verb string) []string { return members(verb) }

// Codes are the codes of errors.
func Codes() []Code {
	return []Code{BadRequest, NoSuchTenant, NotTracked, NotHeld, NotAnswered, Unavailable, TooMany}
}
