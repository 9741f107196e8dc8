package rollcall_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// avoided reads the table of CONTRIBUTING.md that says which word is written
// instead of which others.
func avoided(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| write | not |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	words := make(map[string]string)
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		for word := range strings.SplitSeq(cells[2], ",") {
			words[strings.TrimSpace(word)] = strings.TrimSpace(cells[1])
		}
	}
	if len(words) < 8 {
		t.Fatalf("the table has %d words: %v", len(words), words)
	}
	return words
}

// The glossary is kept by names, comments and log messages.
func TestTheGlossaryIsKept(t *testing.T) {
	words, files := avoided(t), 0
	var any []string
	for word := range words {
		any = append(any, regexp.QuoteMeta(word))
	}
	banned := regexp.MustCompile(`(?i)(?:^|\W)(` + strings.Join(any, "|") + `)(?:\W|$)`)
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && file != "." && (name[0] == '.' || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		files++
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for text, at := range written(parsed) {
			for _, found := range banned.FindAllStringSubmatch(text, -1) {
				t.Errorf("%s: %q: write %q", set.Position(at), found[1], words[strings.ToLower(found[1])])
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// written yields what people read: comments, names part by part, log messages.
func written(file *ast.File) func(func(string, token.Pos) bool) {
	humps := regexp.MustCompile(`([a-z0-9])([A-Z])`)
	return func(yield func(string, token.Pos) bool) {
		for _, group := range file.Comments {
			yield(group.Text(), group.Pos())
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				yield(humps.ReplaceAllString(n.Name, "$1 $2"), n.Pos())
			case *ast.FuncDecl:
				first, _, _ := strings.Cut(n.Doc.Text(), "\n")
				if rest, gives := strings.CutPrefix(first, n.Name.Name+" gives "); gives && !strings.HasPrefix(rest, "up ") && !strings.Contains(rest, "back") {
					yield("gives (of a function)", n.Pos())
				}
			case *ast.CallExpr:
				if message, ok := logged(n); ok {
					yield(message, n.Pos())
				}
			}
			return true
		})
	}
}

// logged returns the message of a call that logs.
func logged(call *ast.CallExpr) (string, bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	switch method.Sel.Name {
	case "Debug", "Info", "Warn", "Error":
	default:
		return "", false
	}
	text, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	message, err := strconv.Unquote(text.Value)
	return message, err == nil
}
