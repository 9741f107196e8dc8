// Package browser holds nothing but tests: they open the live page in a real
// Chromium, beside rollcall's own processes, cut, freeze and kill these, and
// look at what somebody in front of the screen sees. .ci/browser runs them.
package browser
