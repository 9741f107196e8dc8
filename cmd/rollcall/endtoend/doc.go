// Package endtoend holds nothing but tests: they start rollcall as its own
// processes, beside a broker that is one too, kill, freeze and cut them off,
// and let a judge that shares no code with rollcall say whether what
// subscribers got is the truth, once and in order.
package endtoend
