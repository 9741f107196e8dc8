// Command generate writes the schemas, the AsyncAPI document and the golden events
// of package contract from the Go types, and from the schemas the types that
// clients/typescript reads; see there.
//
//	go run ./generate             in the folder contract, as go generate does
//	go run ./generate -released   also takes the schemas for those of a release
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	released := flag.Bool("released", false, "take the schemas for those of a release")
	flag.Parse()
	if err := run(".", *released); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(folder string, released bool) error {
	made, err := files()
	if err != nil {
		return err
	}
	for _, sub := range []string{"schemas", "golden"} {
		if err := os.RemoveAll(filepath.Join(folder, sub)); err != nil {
			return err
		}
	}
	for name, data := range made {
		if err := write(filepath.Join(folder, name), data); err != nil {
			return err
		}
		if schema, ok := strings.CutPrefix(name, "schemas/"); ok && released {
			if err := write(filepath.Join(folder, "released", schema), data); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// files are all that is made, by path.
func files() (map[string][]byte, error) {
	made := map[string]any{"asyncapi.json": asyncAPI()}
	all := schemas()
	for name, schema := range all {
		made["schemas/"+name+".json"] = schema
	}
	golden, err := golden()
	if err != nil {
		return nil, err
	}
	for name, data := range golden {
		made["golden/"+name+".json"] = json.RawMessage(data)
	}
	types, err := typescript(all)
	if err != nil {
		return nil, fmt.Errorf("write the types of TypeScript: %w", err)
	}
	out := map[string][]byte{"../clients/typescript/types.ts": types}
	for name, value := range made {
		if out[name], err = indented(value); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	return out, nil
}

func indented(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return text.Bytes(), err
}
