package config

import (
	"reflect"
	"strconv"
	"time"

	"rollcall/internal/safetext"
)

// scalar reads the text of a single value, whose YAML type is tag, into v, and
// returns what is wrong with it.
func scalar(text, tag string, v reflect.Value) string {
	switch target := v.Addr().Interface().(type) {
	case *string:
		*target = text // a number is text too: ids may consist of digits
	case *time.Duration:
		return duration(text, target)
	case *Calls:
		return calls(text, target)
	case *bool:
		if *target = tag == "!!bool" && isTrue(text); tag != "!!bool" {
			return "is neither true nor false: " + shown(text)
		}
	case *float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || tag != "!!int" && tag != "!!float" {
			return "is not a number: " + shown(text)
		}
		*target = number
	default:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || tag != "!!int" || v.OverflowInt(number) {
			return "is not a whole number: " + shown(text)
		}
		v.SetInt(number)
	}
	return ""
}

// shown quotes a value that is no secret.
func shown(text string) string { return strconv.Quote(safetext.Field(text, 40)) }

func isTrue(text string) bool { return text == "true" || text == "True" || text == "TRUE" }

// duration wants a unit: what reads "timeout: 5" as five nanoseconds, or as
// five seconds, is wrong for somebody.
func duration(text string, target *time.Duration) string {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return shown(text) + " has no unit (ms, s, m or h): write \"" + safetext.Field(text, 20) + "s\" for seconds"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return "is not a duration: " + shown(text)
	}
	*target = d
	return ""
}

// calls reads a budget: a number of calls, or the word unlimited.
func calls(text string, target *Calls) string {
	if text == "unlimited" {
		*target = Unlimited
		return ""
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return shown(text) + " is no budget"
	}
	*target = Calls(number)
	return ""
}
