package strictyaml

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// syntax makes one complaint of what the YAML parser could not read. The
// parser's words name anchors, which a secret in the wrong place could be:
// those are replaced.
func (r *Reader) syntax(data []byte, err error) Complaint {
	failure, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return Complaint{File: r.File, Problem: "this is not YAML"}
	}
	line := failure.Mark.Line
	if strings.Contains(failure.ContextMsg, "flow") || strings.Contains(failure.ContextMsg, "quoted") {
		line = failure.ContextMark.Line // where the bracket or the quote that never closes was opened
	}
	return Complaint{File: r.File, Line: line, Problem: "this is not YAML: " + reason(data, line, failure.Message)}
}

func reason(data []byte, line int, message string) string {
	sign := ""
	if strings.Contains(message, "cannot start any token") || strings.Contains(message, "did not find expected") {
		sign = reserved(data, line)
	}
	switch {
	case sign != "":
		return "YAML reserves " + sign + " at the beginning of a value: put the whole value in quotes, as in schedule: \"@every 15s\""
	case strings.Contains(message, "anchor"):
		return "an alias (*name) without its anchor (&name); quote the value if it begins with *"
	case indentedByTab(data, line):
		return "a tab at the beginning of the line; indent with spaces"
	}
	return message
}

// reserved returns the sign for which the parser took a value in this line for
// something else; "" where there is none.
func reserved(data []byte, line int) string {
	values := regexp.MustCompile("(?:[:\\[,{]|^ *-) *([@`%*&!])")
	if found := values.FindSubmatch(lineOf(data, line)); found != nil {
		return string(found[1])
	}
	return ""
}

// lineOf returns a line, counted from 1; nil where there is none.
func lineOf(data []byte, line int) []byte {
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	if line < 1 || line > len(lines) {
		return nil
	}
	return lines[line-1]
}

func indentedByTab(data []byte, line int) bool {
	return bytes.HasPrefix(bytes.TrimLeft(lineOf(data, line), " "), []byte("\t"))
}
