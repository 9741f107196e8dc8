package strictyaml

import "strings"

// nearest returns the key that was probably meant by word, or "".
func nearest(word string, keys []string) string {
	best, least := "", 3
	for _, key := range keys {
		if strings.HasPrefix(key, word+"_") || strings.HasSuffix(key, "_"+word) {
			return key
		}
		if d := distance(word, key); d < least && d < len(key) {
			best, least = key, d
		}
	}
	return best
}

// distance is how many letters must be changed, added or taken away to make b
// of a. Words that differ much in length are far apart without counting.
func distance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
