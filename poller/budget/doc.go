// Package budget keeps the calls of a calendar month within a number, and
// spreads them over the month. It promises that
//
//   - no more calls are spent in a month of DingTalk's count (UTC+8) than the
//     number says, by all workers of a tenant together, whatever crashes,
//     restarts, or has its clock set;
//   - a call is spent only from a block that was reserved by compare-and-swap,
//     and what is left of a block goes back: at an orderly stop, and through a
//     [Slip] on the disk after a crash;
//   - what is left of the calls is spread over what is left of the month, by the
//     hours of the week in which meetings were seen, and nothing runs ahead of
//     that, so that a crash loop does not burn the month;
//   - which month it is, is decided by the ledger's clock and not by this machine's.
//
// A [Budget] answers two questions: [Budget.Allow], how many calls may be spent
// now, and [Budget.Spend], whether one call may be made.
package budget
