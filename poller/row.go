package poller

// mostAlike is how many meetings may meet the same one after the other until
// that is not about them.
const mostAlike = 3

// row is the meetings whose lookups failed since one was answered. One may be
// to blame itself; several show that it is the operation, or the permission for
// it. The zero value is empty.
type row struct {
	ids   map[string]bool
	class Class // of the last one
	err   error
}

func (r *row) note(id string, class Class, err error) {
	if r.ids == nil {
		r.ids = make(map[string]bool)
	}
	r.ids[id] = true
	r.class, r.err = class, err
}

// alone reports whether nobody but this meeting is in the row.
func (r *row) alone(id string) bool { return len(r.ids) == 1 && r.ids[id] }

// wide reports whether it is not about single meetings any more.
func (r *row) wide() bool { return len(r.ids) >= mostAlike }
