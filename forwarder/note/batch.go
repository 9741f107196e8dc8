package note

import (
	"time"

	"rollcall"
	"rollcall/consume"
)

// Batch collects the events of a group until they are told. The zero value is
// empty. It is not safe for concurrent use.
type Batch struct {
	account Account
}

// Add takes in an event of a meeting. Events of a meeting come in the order of
// their sequence; a repetition is ignored.
func (b *Batch) Add(e consume.Event) { b.account.Events++ }

// AddWatch takes in that a tenant's meetings are not, or are again, being looked at.
func (b *Batch) AddWatch(e rollcall.WatchEvent) { b.account.Events++ }

// Cut counts an event that is not told: too old, or one too many.
func (b *Batch) Cut() { b.account.Events++; b.account.Cut++ }

// Attend says who was in a meeting that has ended; consume.Visits reads it.
func (b *Batch) Attend(tenant, conferenceID string, visits []consume.Visit) {}

// Ended lists the meetings whose end is in the batch, for [Batch.Attend].
func (b *Batch) Ended() []consume.Event { return nil }

// Len is how many events the batch has taken in.
func (b *Batch) Len() int { return b.account.Events }

// Note returns what is to be told: nothing where Account.Told and Digested are
// 0. The kind "" chooses single, found or digest, whichever fits; a note of more than
// maxLines lines is a digest. The batch stays as it is.
func (b *Batch) Note(kind Kind, maxLines int) Note { return Note{Kind: kind, At: time.Time{}} }
