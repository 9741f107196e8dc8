// Package target tells chat services and webhooks what a [Message] says: it
// writes the service's markup, keeps its limits, signs, sends once, and says
// what became of it as an [Outcome].
//
// It promises:
//
//   - What a stranger wrote, escaped by a kind's [Markup], neither mentions nor
//     links nor styles, and never breaks a line or a message.
//   - A message is delivered when the service's body says so, never because of
//     the status 200 alone.
//   - No error, outcome, log or %v of these types holds an address or a secret.
//   - Only https (or this machine) is spoken to, and no redirect is followed.
//
// It knows neither meetings nor NATS, keeps no state, and waits for nothing but
// the answer: when to send, and how often, is the caller's; [Kind] has the
// service's limits as data. Each service stands in a file of its own;
// [Kinds] is the one table of them.
package target
