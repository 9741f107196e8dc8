package dingtalk

import "unicode/utf8"

// words is a value that is mostly a string; if it is one, it is written like form.
type words struct {
	raw  []byte
	form form
}

// passWords passes a value that is mostly a string.
func passWords(b []byte, i, depth int) (w words, end int) {
	if uint(i) >= uint(len(b)) || b[i] != '"' {
		w.raw, end = passValue(b, i, depth)
		return w, end
	}
	if end, w.form = skipText(b, i); end == bad {
		return words{}, bad
	}
	w.raw = b[i:end]
	return w, end
}

// passValue passes any value.
func passValue(b []byte, i, depth int) (raw []byte, end int) {
	if end = skipValue(b, i, depth); end == bad {
		return nil, bad
	}
	return b[i:end:end], end
}

// isCode reports whether a single digit comes, and nothing more of the value.
func isCode(b []byte, i int) bool {
	return uint(i) < uint(len(b)-1) && isDigit(b[i]) && (b[i+1] == ',' || b[i+1] == '}')
}

// isNext reports whether a comma comes with something right behind it.
func isNext(b []byte, i int) bool {
	return uint(i) < uint(len(b)-1) && b[i] == ',' && b[i+1] > ' '
}

// wordsOf looks at a valid value.
func wordsOf(raw []byte) words {
	w := words{raw: raw}
	if given(raw) && raw[0] == '"' {
		_, w.form = skipText(raw, 0)
	}
	return w
}

// plain returns what a valid JSON string means, without a copy where it can.
func plain(raw []byte) []byte { return wordsOf(raw).text() }

// text is plain for words that are a string.
func (w words) text() []byte {
	inner := w.raw[1 : len(w.raw)-1]
	if w.form == 0 || w.form == wide && utf8.Valid(inner) {
		return inner
	}
	return []byte(unquote(w.raw))
}
