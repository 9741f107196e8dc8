package wire

import (
	"maps"
	"slices"

	"rollcall"
)

// AppendLabels appends labels as one JSON object, sorted by key; {} for none.
func AppendLabels(dst []byte, labels rollcall.Labels) []byte {
	if len(labels) == 0 {
		return append(dst, `{}`...)
	}
	before := byte('{')
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		dst = AppendString(append(dst, before), key)
		dst = AppendString(append(dst, ':'), labels[key])
		before = ','
	}
	return append(dst, '}')
}

// LabelsSize is about how many bytes labels take.
func LabelsSize(labels rollcall.Labels) (size int) {
	for key, value := range labels {
		size += len(key) + len(value) + len(`"":"",`)
	}
	return size
}

// labelsJSON are labels as they stand in JSON, {} for none.
type labelsJSON map[string]string

// MarshalJSON writes what [AppendLabels] does.
func (j labelsJSON) MarshalJSON() ([]byte, error) { return AppendLabels(nil, rollcall.Labels(j)), nil }

// labels returns the word for the JSON, nil for none.
func (j labelsJSON) labels() rollcall.Labels {
	if len(j) == 0 {
		return nil
	}
	return rollcall.Labels(j)
}
