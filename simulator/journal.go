package simulator

// journal remembers items in order. With keep > 0 it forgets the oldest once
// it holds twice as many, so that forgetting costs little and memory is bounded.
type journal[T any] struct {
	keep    int
	dropped uint64
	items   []T
}

// add appends an item and returns those that were forgotten for it.
func (j *journal[T]) add(item T) (forgotten []T) {
	j.items = append(j.items, item)
	if j.keep == 0 || len(j.items) < 2*j.keep {
		return nil
	}
	cut := len(j.items) - j.keep
	forgotten = j.items[:cut]
	j.items = append(make([]T, 0, 2*j.keep), j.items[cut:]...)
	j.dropped += uint64(cut)
	return forgotten
}

// last is the number of the latest item; the first has number 1.
func (j *journal[T]) last() uint64 { return j.dropped + uint64(len(j.items)) }

// since returns the remembered items with a number greater than n. Nobody may
// change them.
func (j *journal[T]) since(n uint64) []T {
	if n >= j.last() {
		return nil
	}
	from := uint64(0)
	if n > j.dropped {
		from = n - j.dropped
	}
	return j.items[from:len(j.items):len(j.items)]
}
