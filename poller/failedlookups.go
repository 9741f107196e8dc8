package poller

// mostAlike is how many meetings may fail alike, one after the other, until
// that is not about them.
const mostAlike = 3

// failedLookups are the meetings whose lookups failed since one was answered.
// One may be to blame itself; several show that it is the operation, or the
// permission for it. The zero value is empty.
type failedLookups struct {
	ids   map[string]bool
	class Class // of the last one
	err   error
}

func (f *failedLookups) add(id string, class Class, err error) {
	if f.ids == nil {
		f.ids = make(map[string]bool)
	}
	f.ids[id] = true
	f.class, f.err = class, err
}

// only reports whether nobody but this meeting failed.
func (f *failedLookups) only(id string) bool { return len(f.ids) == 1 && f.ids[id] }

// general reports whether it is no longer about single meetings.
func (f *failedLookups) general() bool { return len(f.ids) >= mostAlike }
