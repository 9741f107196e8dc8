// Package publisher stores what changed. It makes the messages of events, whose
// envelope package wire knows, and commits them together with the records they
// lead to as one JetStream atomic batch: all of a batch is stored, one message
// after the other without a stranger in between, or nothing is.
//
// A commit that fails says which of five things became of the batch (the
// errors of package ledger), so that nobody above inspects numbers or texts.
// It never claims that nothing was stored when it cannot know.
package publisher
