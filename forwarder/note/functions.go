package note

import (
	"fmt"
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
