// Package store reads the ledger on JetStream: the records of meetings, the
// tracked set, who claimed which shard, and which workers live. Claims, members
// and the number of shards it also writes; records and the tracked set change
// by messages of package internal/ledger, which the committer sends together
// with the events as one batch.
//
// The suite of package internal/ledgertest is its contract, which a ledger in
// memory keeps as well.
//
// A read may be a moment behind what was written last (any replica may answer
// it). That is harmless: a record goes back with the revision it was read at,
// and the commit refuses a stale one.
package store
