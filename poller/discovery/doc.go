// Package discovery finds the meetings to track: it reads lists of ongoing
// meetings, the organization's and those of users, each on a schedule. It
// promises that
//
//   - a meeting that appears in a list, and passes the [Filter], is handed on to
//     be tracked, with the list as its source;
//   - one that was in a list and is no longer is handed on to be asked about at
//     once; from a list that could not be read whole nobody is gone;
//   - a list that may not be read is reported to the operator once, and tried again
//     an hour later; nothing else stops for it.
package discovery
