package note

import (
	"errors"
	"fmt"
	"io/fs"
	"text/template"
)

// ownTemplates adds the files *.tmpl of a directory to the defaults.
func ownTemplates(set *template.Template, own fs.FS) (*template.Template, error) {
	names, err := fs.Glob(own, "*.tmpl")
	if err != nil || len(names) == 0 {
		return nil, errors.Join(err, errors.New("the directory of templates holds no file *.tmpl"))
	}
	mine, err := set.Clone()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(own, name)
		if err != nil {
			return nil, fmt.Errorf("read template: %w", err)
		}
		if _, err := mine.New(name).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	return mine, nil
}

// try writes every sample.
func (w *Writer) try() error {
	for _, kind := range Kinds() {
		for _, n := range Samples(kind) {
			if _, _, err := w.write(w.templates, &n, Plain{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func explain(err error) error { return err }
