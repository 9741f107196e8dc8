// Package note says what a chat group is told: the events of a group become a
// [Note], and a note becomes text in a language. It promises that
//
//   - every event is accounted for: told, undone, digested or cut ([Account]);
//   - a kick, an end and a refusal are never undone;
//   - the same events make the same note, and the same note the same text,
//     whoever writes it and however often;
//   - what strangers have written reaches a template only in a form that is
//     already escaped for the service: a template cannot forget to.
//
// It is arithmetic: no clock, no log, no I/O but the reading of templates.
package note
