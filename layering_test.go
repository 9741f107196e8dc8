package rollcall_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// walls lists, for every room, what it may import: rooms of this module by
// their path ("…/..." for a room with all that is below it), "std" for the
// standard library, modules of others by their path or "any" for all of them.
// The longest match counts.
var walls = map[string][]string{
	".": {"std"},

	"differ":    {".", "cmp", "maps", "slices", "sort", "strconv", "strings", "time"},
	"poller":    {".", "std", "any", "internal/...", "wire"},
	"store":     {".", "std", "any", "internal/...", "wire"},
	"publisher": {".", "std", "any", "internal/...", "wire"},
	"console":   {"std", "any", "console/live"},

	// The page for people stands on the reader's side alone; what a browser
	// needs knows nothing of meetings.
	"console/live":        {".", "std", "any", "internal/...", "wire", "consume", "console/live/assets"},
	"console/live/assets": {"std"},

	// Chat groups are told: when, what, and how. How a service is told knows
	// nothing of meetings; what is told knows nothing of services.
	"forwarder":        {".", "std", "any", "internal/...", "wire", "consume", "forwarder/..."},
	"forwarder/note":   {".", "std", "wire", "consume", "internal/safetext"},
	"forwarder/target": {"std", "any", "internal/..."},

	"poller/budget":      {".", "std", "any", "internal/...", "wire"},
	"poller/discovery":   {".", "std", "any", "internal/...", "wire", "poller"},
	"poller/push":        {".", "std", "any", "internal/...", "poller"},
	"poller/dingtalk":    {".", "std", "any", "internal/...", "wire", "poller"},
	"simulator":          {".", "std", "any", "internal/..."},
	"simulator/scenario": {".", "std", "any", "internal/...", "simulator"},
	"simulator/chat":     {"std", "any", "internal/..."},

	// The reader's side, which programs of others import.
	"consume": {".", "std", "wire", "internal/wait", "github.com/nats-io/nats.go/..."},

	// How things are written on the wire: for every room, and for programs of others.
	"wire": {".", "std"},

	"worker": {".", "std", "any", "internal/...", "wire", "poller", "differ", "store", "publisher", "worker/..."},

	// What waits, whoever it waits for.
	"worker/backlog": {".", "std", "internal/ledger"},

	// What is known of records; it reads and stores nothing itself.
	"worker/recordcache": {".", "std"},

	// What is known of a meeting after its end; arithmetic.
	"worker/summary": {".", "wire", "cmp", "fmt", "slices", "strings", "time"},

	// How old what subscribers know is; it only counts.
	"worker/freshness": {"std", "any"},

	// Whether the ledger is still the same one.
	"worker/ground": {"std", "go.uber.org/zap", "internal/ledger"},

	// Who lives, and what belongs to whom.
	"worker/membership": {"std", "internal/ledger", "worker/freshness"},

	// The roof may stand on everything; ground only on ground and the words.
	"cmd":      {".", "std", "any", "cmd/...", "internal/...", "wire", "consume/...", "simulator/...", "poller/...", "differ", "store", "publisher", "worker/...", "forwarder/...", "console/..."},
	"internal": {".", "std", "any", "internal/...", "wire"},

	// What others are written against: made from what writes it.
	"contract":              {"embed"},
	"contract/generate":     {".", "std", "wire", "cmd/rollcall/control"},
	"internal/contracttest": {".", "std", "any", "contract"},

	// The bench knows Rollcall as whoever runs it does: by its program, its
	// configuration and what it stores.
	"bench": {"std", "any"},
}

func TestWalls(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		seen++
		checkFile(t, filepath.ToSlash(file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no Go file was found: the guard guards nothing")
	}
}

func checkFile(t *testing.T, file string) {
	room := roomOf(path.Dir(file))
	if room == "" {
		t.Errorf("%s: its room has no walls yet: add it to the table", file)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if below, ours := strings.CutPrefix(imported, module(t)); ours && (below == "" || below[0] == '/') {
			imported = "rollcall" + below
		}
		if !allowed(walls[room], imported, room) {
			t.Errorf("%s: %s may not import %s", file, room, imported)
		}
	}
}

// module is the path of this module, which make module changes.
func module(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimPrefix(first, "module ")
}

// roomOf gives the longest entry of the table that holds dir; "" where there is none.
func roomOf(dir string) string {
	if dir == "." {
		return "."
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := walls[dir]; ok {
			return dir
		}
	}
	return ""
}

func allowed(list []string, imported, room string) bool {
	own, isOurs := strings.CutPrefix(imported, "rollcall/")
	switch {
	case imported == "rollcall":
		return slices.Contains(list, ".")
	case !isOurs && strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
		return slices.Contains(list, "any") || slices.ContainsFunc(list, func(entry string) bool { return covers(entry, imported) })
	case !isOurs:
		return slices.Contains(list, "std") || slices.Contains(list, imported)
	}
	if slices.ContainsFunc(list, func(entry string) bool { return covers(entry, own) }) {
		return true
	}
	return own == room || strings.HasPrefix(own, room+"/") && roomOf(own) == room
}

// covers reports whether an entry of the table names the path, or with "/..."
// what it stands below.
func covers(entry, path string) bool {
	below, wide := strings.CutSuffix(entry, "/...")
	return entry == path || wide && (path == below || strings.HasPrefix(path, below+"/"))
}

// Whoever enters finds every room on the two pages that lead through them: in the
// table by its path, or by its own name beside the one that it is below.
func TestThePagesShowEveryRoom(t *testing.T) {
	_, table, _ := strings.Cut(pageText(t, "CONTRIBUTING.md"), "\n## The rooms\n")
	table, _, _ = strings.Cut(table, "\n## ")
	house := pageText(t, "docs/architecture.md")
	for room := range walls {
		if room == "." || room == "cmd" {
			continue // the root, and cmd/rollcall
		}
		below := strings.Contains(room, "/")
		if !strings.Contains(table, "`"+room+"`") && !(below && strings.Contains(table, "`"+path.Base(room)+"`")) {
			t.Errorf("CONTRIBUTING.md lacks %s under The rooms", room)
		}
		if !below && !strings.Contains(house, room) {
			t.Errorf("docs/architecture.md lacks %s", room)
		}
	}
}

func TestWallsRefuse(t *testing.T) {
	for _, c := range []struct {
		room, imported string
		want           bool
	}{
		{"differ", "rollcall/store", false},
		{"differ", "os", false},
		{"differ", "go.uber.org/zap", false},
		{"differ", "rollcall", true},
		{"poller", "rollcall/poller/dingtalk", false},
		{"poller/dingtalk", "rollcall/poller", true},
		{"poller/budget", "rollcall/store", false},
		{"poller/budget", "rollcall/poller", false},
		{"poller/discovery", "rollcall/poller/dingtalk", false},
		{"poller/push", "rollcall/poller/dingtalk", false},
		{"store", "rollcall/publisher", false},
		{"worker", "rollcall/publisher", true},
		{"worker", "rollcall/console", false},
		{"internal", "rollcall/worker", false},
		{".", "go.uber.org/zap", false},
		{".", "rollcall/wire", false},
		{"cmd", "rollcall/simulator", true},
		{"bench", "rollcall/worker", false},
		{"consume", "rollcall/wire", true},
		{"consume", "rollcall/internal/ledger", false},
		{"consume", "github.com/nats-io/nats.go/jetstream", true},
		{"consume", "github.com/nats-io/nats-server/v2/server", false},
	} {
		if got := allowed(walls[c.room], c.imported, c.room); got != c.want {
			t.Errorf("%s importing %s: allowed is %v, want %v", c.room, c.imported, got, c.want)
		}
	}
}
