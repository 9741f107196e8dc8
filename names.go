package rollcall

// names lists the words of an enumeration by their value; the first is the
// zero value, which has no word.
type names[T ~uint8] []string

func (n names[T]) name(v T) string {
	if int(v) < len(n) {
		return n[v]
	}
	return ""
}

func (n names[T]) parse(word string) (T, bool) {
	for i := 1; i < len(n); i++ {
		if n[i] == word {
			return T(i), true
		}
	}
	return 0, false
}
