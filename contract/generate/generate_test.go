package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is checked in is what the types say; go generate ./contract makes it so.
func TestWhatIsMadeIsCheckedIn(t *testing.T) {
	made, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if got, err := os.ReadFile(filepath.Join("..", name)); err != nil || string(got) != string(made[name]) {
			t.Errorf("%s is not what the types say (%v); run: go generate ./contract", name, err)
		}
	}
	for _, folder := range []string{"schemas", "golden"} {
		found, err := filepath.Glob("../" + folder + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if name := folder + "/" + filepath.Base(path); made[name] == nil {
				t.Errorf("%s is not made any more; run: go generate ./contract", name)
			}
		}
	}
}
