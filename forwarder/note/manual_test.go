package note

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The manual lists every field and function that a template can use, and every
// template by its name or the first of its family.
func TestTheManualListsEverything(t *testing.T) {
	data, err := os.ReadFile("../../docs/forwarding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, manual, _ := strings.Cut(string(data), "\n## Templates\n")
	manual, _, _ = strings.Cut(manual, "\n## ")
	w := writer(t, "en", nil)
	for _, part := range parts() {
		for i := range reflect.TypeOf(part).NumField() {
			if field := "." + reflect.TypeOf(part).Field(i).Name; !strings.Contains(manual, "`"+field+"`") {
				t.Errorf("%T: %s is not listed", part, field)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.functions(nil, Plain{}))) {
		if !strings.Contains(manual, "`"+name+"`") && !strings.Contains(manual, "`"+name+" ") {
			t.Errorf("the function %s is not listed", name)
		}
	}
	for _, name := range namesOf(w.templates) {
		family := name == "meeting" || !strings.Contains(name, ".")
		if family && !strings.Contains(manual, "`"+name+"`") && !slices.Contains([]string{"counts", "there", "still", "lasted"}, name) {
			t.Errorf("the template %s is not listed", name)
		}
	}
}
