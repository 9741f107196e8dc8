// Package store reads the ledger: the records of meetings, the tracked set,
// who claimed which shard, and which workers live. It also knows how a record
// is stored, and makes the messages that change records and the tracked set;
// whoever commits sends them, together with the events, as one batch.
//
// There are two ledgers with the same behaviour, held together by the suite of
// package internal/ledgertest: [JetStream], and [Memory] for tests.
//
// A read may be a moment behind what was written last (any replica may answer
// it). That is harmless: a record goes back with the revision it was read at,
// and the commit refuses a stale one.
package store
