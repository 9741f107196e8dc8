package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/cmd/rollcall/config"
)

// environment is what the bad files may name.
func environment(name string) (string, bool) {
	values := map[string]string{"SECRET_SET": "hunter2", "SECRET_EMPTY": "", "SECRET_QUOTED": `"hunter2"`}
	value, ok := values[name]
	return value, ok
}

// Each bad file stands beside the complaints it must give, word for word.
func TestEveryMistakeHasItsComplaint(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 100 {
		t.Fatalf("found %d bad files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := complaintsOf(t, file).Error() + "\n"
			if *config.Update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: other complaints (%v; go test ./cmd/rollcall/config -run Mistake -update, and look at the difference; -want +got):\n%s", golden, err, diff)
			}
			if strings.Contains(got, "hunter2") || strings.Contains(got, "\x1b") {
				t.Errorf("a secret or an escape shows in %q", got)
			}
		})
	}
}

func TestTenMistakesGiveTenComplaints(t *testing.T) {
	complaints := complaintsOf(t, "testdata/bad/ten_mistakes.yaml")
	if len(complaints) != 10 {
		t.Errorf("%d complaints, want 10:\n%v", len(complaints), complaints)
	}
	for _, c := range complaints {
		if c.Line == 0 || c.Key == "" || !strings.Contains(c.Problem, "allowed") {
			t.Errorf("a complaint without line, key or what is allowed: %+v", c)
		}
	}
}

func complaintsOf(t *testing.T, file string) config.Complaints {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(data, environment)
	complaints, ok := errors.AsType[config.Complaints](err)
	if !ok {
		t.Fatalf("%s gives error %v, want complaints", file, err)
	}
	return complaints
}

// No key is without a mistake that is tried.
func TestEveryKeyHasABadFile(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	index := regexp.MustCompile(`\[\d+\]`)
	for _, file := range files {
		for _, c := range complaintsOf(t, file) {
			for key := index.ReplaceAllString(c.Key, ""); key != ""; key = key[:max(strings.LastIndex(key, "."), 0)] {
				refused[key] = true
			}
		}
	}
	for _, key := range keysOf("", reflect.TypeFor[config.Config]()) {
		if !refused[key] {
			t.Errorf("no file in testdata/bad has a mistake in %s", key)
		}
	}
}

// keysOf lists the paths of all keys with a value: tenants.poll.schedule.
func keysOf(section string, t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		field := t.Field(i)
		key, inner := section+field.Tag.Get("yaml"), field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(key+".", inner)...)
		} else if !strings.HasSuffix(key, "-") {
			keys = append(keys, key)
		}
	}
	return keys
}
