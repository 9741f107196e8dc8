package worker

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// parts are the types that a worker is put together from: each may know those
// before it, and none that comes after.
var parts = []string{"scope", "lease", "ownership", "meetings", "trust", "committer", "polling", "tracker", "shard", "tenant", "Worker"}

// parents are those that a part knows though they come after it: it was made by them.
var parents = []string{"shard tenant", "tenant Worker"}

// maxMethods is how many methods a part may have before it is several.
const maxMethods = 30

// TestPartsKnowThoseBefore reads which parts each of them names in its fields and methods.
func TestPartsKnowThoseBefore(t *testing.T) {
	methods := map[string]int{}
	for _, decl := range declarations(t) {
		part, name := partOf(decl)
		if part < 0 {
			continue
		}
		if _, ok := decl.(*ast.FuncDecl); ok {
			methods[parts[part]]++
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			star, _ := n.(*ast.StarExpr)
			if star == nil {
				return true
			}
			id, _ := star.X.(*ast.Ident)
			if id != nil && slices.Index(parts, id.Name) > part && !slices.Contains(parents, parts[part]+" "+id.Name) {
				t.Errorf("%s of %s names %s, which comes after it", name, parts[part], id.Name)
			}
			return true
		})
	}
	for part, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods, at most %d", part, n, maxMethods)
		}
	}
	if methods["committer"] == 0 {
		t.Error("nothing was read: the guard guards nothing")
	}
}

func declarations(t *testing.T) (all []ast.Decl) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed.Decls...)
	}
	return all
}

// partOf returns the place of the part that a declaration is of; -1: it is of none.
func partOf(decl ast.Decl) (part int, name string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return -1, ""
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok {
			return slices.Index(parts, id.Name), d.Name.Name
		}
	case *ast.GenDecl:
		if spec, ok := d.Specs[0].(*ast.TypeSpec); ok {
			return slices.Index(parts, spec.Name.Name), "the type"
		}
	}
	return -1, ""
}
