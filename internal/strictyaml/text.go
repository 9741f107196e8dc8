package strictyaml

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// notText complains about the first byte that no text holds. The YAML parser
// would refuse it too, but does not say where.
func notText(data []byte) *Complaint {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &Complaint{Line: lineAt(data, i), Problem: "the file is not UTF-8 text; save it as UTF-8"}
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' && r != '\u0085':
			return &Complaint{Line: lineAt(data, i), Problem: fmt.Sprintf("the file holds the control character %U; remove it", r)}
		}
		i += size
	}
	return nil
}

// lineAt is the number of the line in which data[at] stands.
func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }
