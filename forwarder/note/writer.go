package note

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed templates/*.tmpl
var defaults embed.FS

// Languages lists those that there are default templates for.
func Languages() []string { return []string{"en", "zh"} }

// Writer writes notes in one language, with the times of one zone. It is safe
// for concurrent use.
type Writer struct {
	zone      *time.Location
	plain     *template.Template // the defaults alone
	templates *template.Template
	words     words
	day, year string
}

// NewWriter reads the default templates of the language and then, where own is
// not nil, its files *.tmpl, which replace those of the same names, and tries
// them with samples. Its error names the file and the line, and what there is.
func NewWriter(language string, zone *time.Location, own fs.FS) (*Writer, error) {
	if !slices.Contains(Languages(), language) {
		return nil, fmt.Errorf("there are no templates in the language %q: it is one of %s", language, strings.Join(Languages(), ", "))
	}
	w := &Writer{zone: zone}
	if zone == nil {
		w.zone = time.UTC
	}
	var err error
	w.plain, err = template.New(language).Option("missingkey=zero").Funcs(w.functions(nil, Plain{})).ParseFS(defaults, "templates/"+language+".tmpl")
	if err != nil {
		return nil, err
	}
	if w.templates = w.plain; own != nil {
		if w.templates, err = ownTemplates(w.plain, w.functions(nil, Plain{}), own); err != nil {
			return nil, err
		}
	}
	if err := w.choose(); err != nil {
		return nil, err
	}
	if own != nil {
		return w, w.try()
	}
	return w, nil
}

// choose reads the words that the templates hold.
func (w *Writer) choose() error {
	for name, at := range map[string]*string{
		"nameless": &w.words.nameless, "untitled": &w.words.untitled, "meeting": &w.words.meeting, "day": &w.day, "day.year": &w.year,
	} {
		text, err := execute(w.templates, name, nil)
		if err != nil {
			return err
		}
		*at = text
	}
	return nil
}

// Write returns the note as text. The title is one line of plain text, safe for
// a terminal and NOT escaped for the service: whoever shows it in markup passes
// it through [Markup.Text]. The body is in the markup, line by line, and does not
// repeat the title.
//
// A mistake in a template of one's own keeps nothing back: with the error comes
// the text of the defaults.
func (w *Writer) Write(n Note, m Markup) (title, body string, err error) {
	title, body, err = w.write(w.templates, &n, m)
	if err != nil && w.templates != w.plain {
		title, body, _ = w.write(w.plain, &n, m)
	}
	return title, body, err
}

func (w *Writer) write(set *template.Template, n *Note, m Markup) (title, body string, err error) {
	if title, err = w.part(set, "title", n, Plain{}); err != nil {
		return "", "", err
	}
	body, err = w.part(set, "body", n, m)
	return strings.Join(strings.Fields(title), " "), body, err
}

// part executes a template with the note as it is in a markup.
func (w *Writer) part(set *template.Template, name string, n *Note, m Markup) (string, error) {
	mine, err := set.Clone()
	if err != nil {
		return "", err
	}
	mine.Funcs(w.functions(mine, m))
	v := &view{markup: m, words: w.words, clock: clock{w.zone, w.day, w.year, n.now()}}
	text, err := execute(mine, name, v.page(n))
	return lines(text), err
}

func execute(set *template.Template, name string, data any) (string, error) {
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, name, data); err != nil {
		return "", explain(err)
	}
	return out.String(), nil
}

// lines drops what is around the lines of a text, and empty ones.
func lines(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
