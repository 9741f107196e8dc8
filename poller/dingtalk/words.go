package dingtalk

import "unicode/utf8"

// words is a value that is mostly a string; if it is one, it is written like form.
type words struct {
	raw  []byte
	form form
}

// passWords passes a value that is mostly a string.
func passWords(b []byte, i, depth int) (w words, end int) {
	if uint(i) < uint(len(b)) && b[i] == '"' {
		end, w.form = skipText(b, i)
	} else {
		end = skipValue(b, i, depth)
	}
	if end != bad {
		w.raw = b[i:end:end]
	}
	return w, end
}

// passCode passes a value that is mostly a single digit.
func passCode(b []byte, i, depth int) (raw []byte, end int) {
	if i != bad && i+1 < len(b) && isDigit(b[i]) && (b[i+1] == ',' || b[i+1] == '}') {
		end = i + 1
	} else if end = skipValue(b, i, depth); end == bad {
		return nil, bad
	}
	return b[i:end:end], end
}

// wordsOf looks at a valid value.
func wordsOf(raw []byte) words {
	w := words{raw: raw}
	if given(raw) && raw[0] == '"' {
		_, w.form = skipText(raw, 0)
	}
	return w
}

// plain gives what a valid JSON string means, without a copy where it can.
func plain(raw []byte) []byte { return wordsOf(raw).text() }

// text is plain for words that are a string.
func (w words) text() []byte {
	inner := w.raw[1 : len(w.raw)-1]
	if w.form == 0 || w.form == wide && utf8.Valid(inner) {
		return inner
	}
	return []byte(unquote(w.raw))
}
