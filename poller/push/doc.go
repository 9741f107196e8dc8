// Package push hears what DingTalk pushes over its Stream connection: that
// meetings are created and closed, and that people come and go. What it hears is
// a hint at whom to ask about, and never an event by itself. It promises that
//
//   - each push is acknowledged as soon as it is read, whatever else goes on here;
//   - one that comes twice, or later than a newer one about the same, is dropped,
//     and what is remembered for that is bounded;
//   - whatever else comes (huge, half, garbage) is counted, and ends the connection
//     at worst: another one is made with a new ticket, after a pause that grows;
//   - neither secrets nor tickets stand in its log and its errors.
//
// A [Listener] is connected while its worker is the one of the tenant's that
// looks for meetings: of several connections each would hear a part.
package push
