package note

import (
	"io/fs"
	"time"
)

// Writer writes notes in one language, with the times of one zone. It is safe
// for concurrent use.
type Writer struct {
	zone *time.Location
}

// Languages lists those that there are default templates for.
func Languages() []string { return []string{"en", "zh"} }

// NewWriter reads the default templates of the language and then, where own is
// not nil, its files *.tmpl, which replace those of the same names. Its error
// names the file and the line, and the fields there are.
func NewWriter(language string, zone *time.Location, own fs.FS) (*Writer, error) {
	return &Writer{zone}, nil
}

// Write returns the note as text. The title is one line of plain text, safe for
// a terminal and NOT escaped for the service: whoever shows it in markup passes
// it through Markup.Text. The body is in the markup and does not repeat the title.
func (w *Writer) Write(n Note, m Markup) (title, body string, err error) { return "", "", nil }
