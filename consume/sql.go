package consume

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SQL is a [Checkpoint] in the table rollcall_checkpoint of a database: an
// event is handled, and its position stored, in one transaction, which
// [InTx] passes to the handler. So each event takes effect exactly once,
// whatever is killed when, also where two processes handle the same events.
//
// Rows of meetings that are over may be deleted once their events have left the
// stream: seen_at is the event's time in Unix seconds.
type SQL struct {
	DB *sql.DB
	// Consumer tells those apart that share the database: the name of the Durable.
	Consumer string
	// Dollar writes $1 in place of ?, as PostgreSQL wants it.
	Dollar bool
}

// Create makes the table where it is not there.
func (s SQL) Create(ctx context.Context) error {
	_, err := s.DB.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS rollcall_checkpoint (
		consumer VARCHAR(256) NOT NULL, tenant VARCHAR(32) NOT NULL, conference VARCHAR(256) NOT NULL,
		epoch BIGINT NOT NULL, sequence BIGINT NOT NULL, seen_at BIGINT NOT NULL,
		PRIMARY KEY (consumer, tenant, conference))`)
	if err != nil {
		return fmt.Errorf("create table rollcall_checkpoint: %w", err)
	}
	return nil
}

// Last reads the meeting's row.
func (s SQL) Last(ctx context.Context, tenant, conferenceID string) (p Position, err error) {
	err = s.DB.QueryRowContext(ctx, s.query(`SELECT epoch, sequence FROM rollcall_checkpoint WHERE consumer = ? AND tenant = ? AND conference = ?`),
		s.Consumer, tenant, conferenceID).Scan(&p.Epoch, &p.Sequence)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Position{}, fmt.Errorf("read the checkpoint of meeting %.300q: %w", conferenceID, err)
	}
	return p, nil
}

// Advance calls handle within the transaction that stores the position. An
// event that was handled before is not handled again.
func (s SQL) Advance(ctx context.Context, e Event, handle func(context.Context) error) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // of no effect after Commit
	if moved, err := s.move(ctx, tx, e); err != nil || !moved {
		return err
	}
	if err := handle(context.WithValue(ctx, txKey{}, tx)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit the transaction: %w", err)
	}
	return nil
}

// move writes the event's position, and reports false where it or a later one
// stands there. It comes before the effect, so that a second process waits for
// the row.
func (s SQL) move(ctx context.Context, tx *sql.Tx, e Event) (bool, error) {
	result, err := tx.ExecContext(ctx, s.query(`UPDATE rollcall_checkpoint SET epoch = ?, sequence = ?, seen_at = ?
		WHERE consumer = ? AND tenant = ? AND conference = ? AND (epoch < ? OR (epoch = ? AND sequence < ?))`),
		e.Epoch, int64(e.Sequence), e.Time.Unix(), s.Consumer, e.Tenant, e.ConferenceID, e.Epoch, e.Epoch, int64(e.Sequence))
	if err != nil {
		return false, fmt.Errorf("store the checkpoint: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return n > 0, err
	}
	var rows int
	if err := tx.QueryRowContext(ctx, s.query(`SELECT COUNT(*) FROM rollcall_checkpoint WHERE consumer = ? AND tenant = ? AND conference = ?`),
		s.Consumer, e.Tenant, e.ConferenceID).Scan(&rows); err != nil || rows > 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, s.query(`INSERT INTO rollcall_checkpoint (epoch, sequence, seen_at, consumer, tenant, conference) VALUES (?, ?, ?, ?, ?, ?)`),
		e.Epoch, int64(e.Sequence), e.Time.Unix(), s.Consumer, e.Tenant, e.ConferenceID)
	return err == nil, err
}

// query numbers the placeholders, where the database wants that.
func (s SQL) query(text string) string {
	if !s.Dollar {
		return text
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

type txKey struct{}

// InTx makes a handler of one that writes to the database of an [SQL]
// checkpoint: what it does with tx takes effect together with the position, or
// not at all. It neither commits nor rolls back.
func InTx(handler func(ctx context.Context, tx *sql.Tx, e Event) error) Handler {
	return func(ctx context.Context, e Event) error {
		tx, ok := ctx.Value(txKey{}).(*sql.Tx)
		if !ok {
			return errors.New("no transaction: InTx needs an SQL as the Durable's Checkpoint")
		}
		return handler(ctx, tx, e)
	}
}
