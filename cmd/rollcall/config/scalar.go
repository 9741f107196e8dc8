package config

import (
	"reflect"
	"strconv"
	"time"

	"rollcall/internal/safetext"
)

// scalar reads the text of a single value, whose YAML type is tag, into v.
func (r *reader) scalar(key, text, tag string, v reflect.Value) {
	switch target := v.Addr().Interface().(type) {
	case *string:
		*target = text // a number is text too: ids may consist of digits
	case *time.Duration:
		r.duration(key, text, target)
	case *Calls:
		r.calls(key, text, target)
	case *bool:
		if *target = tag == "!!bool" && isTrue(text); tag != "!!bool" {
			r.refuse(key, "is neither true nor false: "+shown(text))
		}
	case *float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || tag != "!!int" && tag != "!!float" {
			r.refuse(key, "is not a number: "+shown(text))
		}
		*target = number
	default:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || tag != "!!int" || v.OverflowInt(number) {
			r.refuse(key, "is not a whole number: "+shown(text))
			return
		}
		v.SetInt(number)
	}
}

// shown quotes a value that is no secret.
func shown(text string) string { return strconv.Quote(safetext.Field(text, 40)) }

func isTrue(text string) bool { return text == "true" || text == "True" || text == "TRUE" }

// duration wants a unit: what reads "timeout: 5" as five nanoseconds, or as
// five seconds, is wrong for somebody.
func (r *reader) duration(key, text string, target *time.Duration) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		r.refuse(key, shown(text)+" has no unit (ms, s, m or h): write \""+safetext.Field(text, 20)+"s\" for seconds")
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.refuse(key, "is not a duration: "+shown(text))
		return
	}
	*target = d
}

// calls reads a budget: a number of calls, or the word unlimited.
func (r *reader) calls(key, text string, target *Calls) {
	if text == "unlimited" {
		*target = Unlimited
		return
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		r.refuse(key, shown(text)+" is no budget")
		return
	}
	*target = Calls(number)
}
