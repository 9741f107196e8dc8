package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/ledger"
)

// Eraser reads the events of a ledger, and erases them.
type Eraser struct{ Ledger *JetStream }

// Events calls take for each event that is stored of a meeting, or of all of the
// tenant's with an empty id, in order.
func (e Eraser) Events(ctx context.Context, tenant, conferenceID string, take func(ledger.Raw)) error {
	names, from := e.Ledger.names, uint64(1)
	filter := names.Event(tenant, conferenceID, "") + ">"
	if conferenceID == "" {
		filter = names.Prefix + ".event." + tenant + ".>"
	}
	if err := e.Ledger.read.every(ctx, filter, &from, take); err != nil {
		return fmt.Errorf("read the events of tenant %s: %w", tenant, err)
	}
	return nil
}

// every is each for all that the leader counts: a replica that lags knows the beginning
// alone, and is asked for the rest.
func (r *reader) every(ctx context.Context, filter string, from *uint64, take func(ledger.Raw)) error {
	taken := uint64(0)
	return r.caughtUp(ctx, func() error {
		stored, err := r.stored(ctx, filter)
		if err != nil {
			return err
		}
		if err = r.each(ctx, filter, from, func(m ledger.Raw) { taken++; take(m) }); err != nil {
			return err
		}
		least := uint64(0)
		for _, n := range stored {
			least += n
		}
		if taken < least {
			return fmt.Errorf("read %s: %w: it has %d of %d messages", filter, errBehind, taken, least)
		}
		return nil
	})
}

// noSuchSequence is what the server says of a message that is gone.
const noSuchSequence jetstream.ErrorCode = 10043

// Erase deletes a stored message and overwrites it in the server's files. One that is
// gone already is no error.
func (e Eraser) Erase(ctx context.Context, sequence uint64) error {
	ctx, cancel := within(ctx)
	defer cancel()
	to := e.Ledger.API("STREAM.MSG.DELETE." + e.Ledger.names.Stream)
	reply, err := e.Ledger.js.Conn().RequestWithContext(ctx, to, fmt.Appendf(nil, `{"seq":%d}`, sequence))
	if err != nil {
		return fmt.Errorf("erase message %d of stream %s: %w; may this user publish to %s?", sequence, e.Ledger.names.Stream, err, to)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err = json.Unmarshal(reply.Data, &answer); err == nil && answer.Error != nil {
		err = answer.Error
		if code := answer.Error.ErrorCode; code == noSuchSequence || code == jetstream.JSErrCodeMessageNotFound {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("erase message %d of stream %s: %w", sequence, e.Ledger.names.Stream, err)
	}
	return nil
}

// each reads what is stored of a filter from a sequence on, which is moved past it.
func (r *reader) each(ctx context.Context, filter string, from *uint64, take func(ledger.Raw)) error {
	for whole := false; !whole; {
		answer, err := r.get(ctx, r.names.Stream, getRequest{
			Seq: *from, NextFor: filter, Batch: tailPage, MaxBytes: tailPageBytes,
		}, func(m got) {
			take(m.raw())
			*from = m.sequence + 1
		})
		if err != nil {
			return err
		}
		whole = answer.whole
	}
	return nil
}
