package config

import (
	"bytes"
	"errors"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// syntax makes one complaint of what the YAML parser could not read. The
// parser's words name anchors, which a secret in the wrong place could be:
// those are replaced.
func syntax(data []byte, err error) *Complaint {
	failure, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &Complaint{Problem: "this is not YAML"}
	}
	line := failure.Mark.Line
	if strings.Contains(failure.ContextMsg, "flow") || strings.Contains(failure.ContextMsg, "quoted") {
		line = failure.ContextMark.Line // where the bracket or the quote that never closes was opened
	}
	return &Complaint{Line: line, Problem: "this is not YAML: " + reason(data, line, failure.Message)}
}

func reason(data []byte, line int, message string) string {
	switch {
	case strings.Contains(message, "anchor"):
		return "an alias (*name) without its anchor (&name); quote the value if it begins with *"
	case indentedByTab(data, line):
		return "a tab at the beginning of the line; indent with spaces"
	}
	return message
}

func indentedByTab(data []byte, line int) bool {
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	return line >= 1 && line <= len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[line-1], " "), []byte("\t"))
}
