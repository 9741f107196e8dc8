package endtoend_test

import (
	"bytes"
	"slices"
	"testing"
)

// grain is how many bytes of a text are looked up at once.
const grain = 8

// needles finds any of many secrets in one pass over a text. A secret of at least
// 2*grain-1 bytes covers, wherever it stands, a grain of the text that begins at a
// multiple of grain; those grains lead to the secrets that hold them.
type needles struct {
	by    map[[grain]byte][]string
	short []string // that may cover no whole grain
}

func newNeedles(secrets []string) needles {
	n := needles{by: map[[grain]byte][]string{}}
	for _, s := range secrets {
		if len(s) < 2*grain-1 {
			n.short = append(n.short, s)
			continue
		}
		for at := range len(s) - grain + 1 {
			piece := [grain]byte([]byte(s[at : at+grain]))
			n.by[piece] = append(n.by[piece], s)
		}
	}
	return n
}

// in returns the secrets that stand in a text, each once.
func (n needles) in(text []byte) (found []string) {
	maybe := n.short
	for at := 0; at+grain <= len(text); at += grain {
		if hit := n.by[[grain]byte(text[at:at+grain])]; hit != nil {
			maybe = append(maybe[:len(maybe):len(maybe)], hit...)
		}
	}
	for _, s := range maybe {
		if bytes.Contains(text, []byte(s)) && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	return found
}

func TestNeedlesAreFoundWhereverTheyStand(t *testing.T) {
	secrets := []string{"short", "fifteen-letters", "sim10123456789abcdef", "another-secret-of-some-length"}
	n := newNeedles(secrets)
	for _, s := range secrets {
		for before := range 2 * grain {
			for after := range 2 * grain {
				text := slices.Concat(bytes.Repeat([]byte{'x'}, before), []byte(s), bytes.Repeat([]byte{'y'}, after))
				if got := n.in(text); !slices.Equal(got, []string{s}) {
					t.Errorf("in %q: %q", text, got)
				}
				if got := n.in(text[:before+len(s)-1]); len(got) != 0 {
					t.Errorf("in %q: %q", text[:before+len(s)-1], got)
				}
			}
		}
	}
}
