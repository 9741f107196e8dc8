package note

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// ownTemplates adds the files *.tmpl of a directory to the defaults. What a file
// defines, and the file itself under its name without .tmpl, replaces the default of
// that name. A name that nothing uses is a slip of the pen.
func ownTemplates(set *template.Template, functions template.FuncMap, own fs.FS) (*template.Template, error) {
	names, err := fs.Glob(own, "*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	mine, err := set.Clone()
	if err != nil {
		return nil, err
	}
	defined, all := map[string]string{}, ""
	for _, name := range names {
		text, err := fs.ReadFile(own, name)
		if err != nil {
			return nil, fmt.Errorf("read template: %w", err)
		}
		parsed, err := template.New(name).Funcs(functions).Parse(string(text))
		if err != nil {
			return nil, explainParse(err, functions)
		}
		for _, t := range parsed.Templates() {
			if parse.IsEmptyTree(t.Root) && t.Name() == name {
				continue
			}
			plain := strings.TrimSuffix(t.Name(), ".tmpl")
			if _, err := mine.AddParseTree(plain, t.Tree); err != nil {
				return nil, err
			}
			defined[plain] = name
		}
		all += string(text)
	}
	return mine, unused(set, defined, all)
}

// unused reports a template that neither is one of the defaults nor is named
// where it is not defined.
func unused(set *template.Template, defined map[string]string, text string) error {
	for _, name := range slices.Sorted(maps.Keys(defined)) {
		mentioned := strings.Count(text, `"`+name+`"`) - strings.Count(text, `define "`+name+`"`)
		if set.Lookup(name) == nil && mentioned <= 0 {
			return fmt.Errorf("%s: nothing uses the template %q; those there are: %s", defined[name], name, strings.Join(namesOf(set), ", "))
		}
	}
	return nil
}

func namesOf(set *template.Template) []string {
	var names []string
	for _, t := range set.Templates() {
		if !parse.IsEmptyTree(t.Root) {
			names = append(names, t.Name())
		}
	}
	slices.Sort(names)
	return names
}

// explainParse lists the functions where one is named that is not there.
func explainParse(err error, functions template.FuncMap) error {
	if !strings.Contains(err.Error(), "not defined") {
		return err
	}
	return fmt.Errorf("%w; beside those of text/template there are %s", err, strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
}

// explain says where a template went wrong: file, line and column, and, where a
// field is not there, which ones are.
func explain(err error) error {
	text := err.Error()
	placed := regexp.MustCompile(`template: [^:]+:\d+`).FindAllStringIndex(text, -1)
	if len(placed) > 0 { // the innermost knows best
		text = text[placed[len(placed)-1][0]:]
	}
	found := regexp.MustCompile(`can't evaluate field (\w+) in type \*?note\.(\w+)`).FindStringSubmatch(text)
	if found == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s; its fields are %s", text, strings.Join(fieldsOf(found[2]), ", "))
}

// parts are those of a page.
func parts() []any {
	return []any{
		page{}, meetingPage{}, foundPage{}, linePage{}, watchPage{}, othersPage{}, attendeePage{}, failurePage{}, count{}, when{}, stay{}, length{},
	}
}

// fieldsOf lists what templates can say of a part of a page.
func fieldsOf(name string) []string {
	var fields []string
	for _, part := range parts() {
		t := reflect.TypeOf(part)
		if t.Name() != name {
			continue
		}
		for i := range t.NumField() {
			fields = append(fields, "."+t.Field(i).Name)
		}
	}
	return fields
}

// try writes every sample, and a note of every type and reason.
func (w *Writer) try() error {
	notes := everyChange()
	for _, kind := range Kinds() {
		notes = append(notes, Samples(kind)...)
	}
	for i := range notes {
		if _, _, err := w.write(w.templates, &notes[i], Plain{}); err != nil {
			return err
		}
	}
	return nil
}
