package rollcall

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Labels are what a meeting is tracked with: team=blue. They stand in
// the tracked set, the record and each later event.
type Labels map[string]string

// The limits of [Labels].
const (
	MaxLabels     = 16
	MaxLabelKey   = 63  // bytes of a-z 0-9 _ . -
	MaxLabelValue = 256 // bytes
)

// Check refuses labels beyond the limits. Its error names the key.
func (l Labels) Check() error {
	if len(l) > MaxLabels {
		return fmt.Errorf("%d labels are given; a meeting has at most %d", len(l), MaxLabels)
	}
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if err := CheckLabel(key, l[key]); err != nil {
			return err
		}
	}
	return nil
}

// CheckLabel refuses a label that no meeting can have. Its error names the key.
func CheckLabel(key, value string) error {
	switch {
	case !validLabelKey(key):
		return fmt.Errorf("the label %.80q cannot be: a key has 1 to %d of a-z 0-9 _ . -", key, MaxLabelKey)
	case len(value) > MaxLabelValue:
		return fmt.Errorf("the label %q has %d bytes; a value has at most %d", key, len(value), MaxLabelValue)
	case !utf8.ValidString(value):
		return fmt.Errorf("the label %q is not UTF-8", key)
	}
	return nil
}

func validLabelKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-') {
			return false
		}
	}
	return key != "" && len(key) <= MaxLabelKey
}
