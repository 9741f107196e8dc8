package ledger

import (
	"errors"
	"fmt"
	"time"
)

// ErrGone is matched by the error for a ledger whose stream, or a bucket beside
// it, is not there. [Position.Follows] says what became of it once it is.
var ErrGone = errors.New("the ledger is gone")

// Position is which ledger something belongs to and how far it had come: a
// stream of the same name can be deleted and created anew, purged, or restored
// from a backup. Whatever is kept beside the ledger carries the position that it
// was written at. The zero value belongs to no ledger that is known.
type Position struct {
	Stream  string    `json:"stream"`
	Created time.Time `json:"created"` // by the server's clock
	Last    uint64    `json:"last"`    // stream sequence of the last message
	First   uint64    `json:"-"`       // of the first one that is left; 0: not known
	Alone   bool      `json:"-"`       // there is one replica: nothing that is read can lag behind
}

// Known reports whether p says anything.
func (p Position) Known() bool { return p.Stream != "" }

// Follows returns nil where a ledger that is at p now may be the one that was at
// earlier, and otherwise an error that says what shows that it is another one. A
// read that lags behind shows the same as a backup that was brought back: the
// position must come from the stream's leader.
func (p Position) Follows(earlier Position) error {
	switch {
	case !earlier.Known():
		return nil
	case p.Stream != earlier.Stream:
		return fmt.Errorf("it is stream %s, and was stream %s", p.Stream, earlier.Stream)
	case !p.Created.Equal(earlier.Created):
		return fmt.Errorf("stream %s was created at %s, and the one known before at %s",
			p.Stream, p.Created.UTC().Format(time.RFC3339Nano), earlier.Created.UTC().Format(time.RFC3339Nano))
	case p.Last < earlier.Last:
		return fmt.Errorf("stream %s ends at sequence %d, and had come to %d before: it was restored from a backup, or its end was lost",
			p.Stream, p.Last, earlier.Last)
	case earlier.Last > 0 && p.First > earlier.Last:
		// Claims and how meetings are divided stay forever.
		return fmt.Errorf("stream %s begins at sequence %d, and had come to %d before: it was purged", p.Stream, p.First, earlier.Last)
	}
	return nil
}
