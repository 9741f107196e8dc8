package config

import "fmt"

// Check reports whether the names of the stream are possible, for those that
// come from a command line instead of a file.
func (s Stream) Check() error {
	if !validStream(s.Name) {
		return fmt.Errorf("%s cannot name a stream; allowed: 1 to 64 letters, digits, _ and -", shown(s.Name))
	}
	if !validPrefix(s.Prefix) {
		return fmt.Errorf("%s cannot begin subjects; allowed: tokens of letters, digits, _ and -, separated by dots", shown(s.Prefix))
	}
	return nil
}

// validStream keeps room for what derives from the name.
func validStream(name string) bool { return isToken(name) && len(name) <= 64 }
