package note

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"text/template"
)

// functions are those of the templates, for one markup.
func (w *Writer) functions(set *template.Template, m Markup) template.FuncMap {
	styled := func(style func(string) string) func(any) Text {
		return func(v any) Text {
			text := strings.TrimSpace(fmt.Sprint(v))
			if text == "" {
				return ""
			}
			return Text(style(text))
		}
	}
	toned := func(tone string) func(any) Text {
		return styled(func(s string) string { return m.Color(s, tone) })
	}
	render := func(name string, data any) (Text, error) {
		text, err := execute(set, name, data)
		return Text(strings.TrimSpace(text)), err
	}
	return template.FuncMap{
		"render":   render,
		"sentence": func(l *linePage) (Text, error) { return render(l.template(), l) },
		"counted":  func(c count) (Text, error) { return render("count."+c.Of, c) },
		"of":       func(subject Text, l *linePage) *linePage { copied := *l; copied.Subject = subject; return &copied },
		"plural":   plural,
		"slice":    slice,
		"join":     join,
		"bold":     styled(m.Bold),
		"item":     styled(m.Line),
		"good":     toned("good"),
		"bad":      toned("bad"),
		"muted":    toned("muted"),
	}
}

// template names the one that has words for the change.
func (l *linePage) template() string {
	if l.Known {
		return l.Type
	}
	return "unknown"
}

// plural counts: 1 meeting, 2 meetings.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// join puts text between those that are not empty.
func join(between string, parts ...any) Text {
	var full []string
	for _, part := range parts {
		if text := fmt.Sprint(part); text != "" {
			full = append(full, text)
		}
	}
	return Text(strings.Join(full, between))
}

// slice is some of a list: from the first index up to the second. That of a text
// could cut an escape in half.
func slice(list any, at ...int) (any, error) {
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice || len(at) == 0 || len(at) > 2 {
		return nil, errors.New("slice takes a list and one or two indexes; texts are cut already")
	}
	from, to := at[0], append(at, v.Len())[1]
	if from < 0 || from > to || to > v.Len() {
		return nil, fmt.Errorf("slice from %d to %d of %d", from, to, v.Len())
	}
	return v.Slice(from, to).Interface(), nil
}
