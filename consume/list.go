package consume

import (
	"github.com/nats-io/nats.go/jetstream"

	"rollcall"
	"rollcall/wire"
)

// listing is what was read at once: the records and statuses as they stand.
type listing struct {
	records  map[key]stored
	statuses map[string]wire.Status
	losses   map[part]loss
	subjects map[string]bool
	messages uint64 // that came, whatever they held
	last     uint64 // the highest stream sequence among those that were there before
}

type stored struct {
	record   *rollcall.Record
	revision uint64
}

func newListing() *listing {
	return &listing{records: map[key]stored{}, statuses: map[string]wire.Status{}, losses: map[part]loss{}, subjects: map[string]bool{}}
}

// take reads one message. What cannot be read is told, and does not hide the others.
func (l *listing) take(w *watcher, subject string, data []byte, meta *jetstream.MsgMetadata) {
	l.subjects[subject] = true
	if len(data) == 0 {
		return
	}
	switch w.word(subject) {
	case "state":
		r, err := wire.DecodeRecord(data)
		if err != nil {
			w.tell(err)
			return
		}
		l.records[key{r.Tenant, r.ConferenceID}] = stored{r, meta.Sequence.Stream}
	case "status":
		var s wire.Status
		if err := s.UnmarshalJSON(data); err != nil {
			w.tell(err)
			return
		}
		l.statuses[s.Tenant] = s
	case "watching":
		told, err := wire.DecodeWatching(data)
		if err != nil {
			w.tell(err)
			return
		}
		if told.Lost {
			l.losses[w.part(subject)] = loss{told, meta.Timestamp}
		}
	}
}
