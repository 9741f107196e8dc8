package target

import "testing"

// Whatever follows a list stands apart from it, since markdown takes a line
// right after an item for more of that item.
func TestALineAfterAListIsNotOfIt(t *testing.T) {
	for body, want := range map[string]string{
		"":                     "",
		"a\nb":                 "a  \nb",
		"- a\n- b":             "- a\n- b",
		"a\n- b\n- c\nd\ne":    "a\n\n- b\n- c\n\nd  \ne",
		"- a\nb\n- c":          "- a\n\nb\n\n- c",
		"-a\n- b\n-- c\nand d": "-a\n\n- b\n\n-- c  \nand d",
	} {
		if got := hardBreaks(body); got != want {
			t.Errorf("%q becomes %q, want %q", body, got, want)
		}
	}
}
