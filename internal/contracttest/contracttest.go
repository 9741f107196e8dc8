// Package contracttest holds what is sent and stored, in tests of any room,
// against the schemas of package contract. It is stricter than they are: a member
// that no schema names is wrong, so that none is written and forgotten there.
package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rollcall/contract"
)

// Schemas are those of the contract, compiled.
type Schemas map[string]*jsonschema.Schema

// Load compiles them, once.
func Load(t testing.TB) Schemas {
	t.Helper()
	schemas, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return schemas
}

var compiled = sync.OnceValues(func() (Schemas, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	files, err := contract.Schemas.ReadDir("schemas")
	if err != nil {
		return nil, err
	}
	schemas := Schemas{}
	for _, file := range files {
		data, err := contract.Schemas.ReadFile("schemas/" + file.Name())
		if err != nil {
			return nil, err
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if err := compiler.AddResource(file.Name(), closed(schema)); err != nil {
			return nil, err
		}
		schemas[strings.TrimSuffix(file.Name(), path.Ext(file.Name()))] = nil
	}
	for name := range schemas {
		if schemas[name], err = compiler.Compile(name + ".json"); err != nil {
			return nil, err
		}
	}
	return schemas, nil
})

// closed lets no object have members that its schema does not name.
func closed(value any) any {
	schema, ok := value.(map[string]any)
	if !ok {
		return value
	}
	properties, ok := schema["properties"].(map[string]any)
	if _, said := schema["additionalProperties"]; ok && !said {
		schema["additionalProperties"] = false
	}
	for _, property := range properties {
		closed(property)
	}
	closed(schema["items"])
	return value
}

// Check holds JSON against the schema of that name.
func (s Schemas) Check(name string, data []byte) error {
	schema := s[name]
	if schema == nil {
		return fmt.Errorf("there is no schema %s", name)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w in %.300s", name, err, data)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%s: %w in %.2000s", name, err, data)
	}
	return nil
}

// Event holds an event against the schema of its type.
func (s Schemas) Event(data []byte) error {
	var head struct{ Type string }
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	return s.Check("event."+strings.TrimPrefix(head.Type, "rollcall."), data)
}
