package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/safetext"
)

// maxBytes is the size of the largest file that is read.
const maxBytes = 1 << 20

// document gives the root of the one YAML document that data holds.
func document(data []byte) (*yaml.Node, *Complaint) {
	if len(data) > maxBytes {
		return nil, &Complaint{Problem: fmt.Sprintf("the file has more than %d bytes, the most that is read", maxBytes)}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, unreadable(err)
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) || err == nil && len(first.Content) == 0 {
		return nil, &Complaint{Problem: "the file is empty; a scenario has name, meetings, steps and expect"}
	} else if err != nil {
		return nil, unreadable(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, &Complaint{Line: max(second.Line, 1), Problem: "a second YAML document begins here; a scenario is one document"}
	} else if !errors.Is(err, io.EOF) {
		return nil, unreadable(err)
	}
	return first.Content[0], nil
}

func unreadable(err error) *Complaint {
	if failure, ok := errors.AsType[*yaml.LoadError](err); ok {
		return &Complaint{Line: failure.Mark.Line, Problem: "this is not YAML: " + safetext.Line(failure.Message)}
	}
	return &Complaint{Problem: "this is not YAML: " + safetext.Line(err.Error())}
}
