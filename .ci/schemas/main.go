// Command schemas writes strict JSON schemas of the kinds of Kubernetes that
// deploy uses, for kubeconform: a field that Kubernetes does not know is
// refused, which its own published schemas let pass.
//
//	dir=$(go mod download -json k8s.io/kubernetes@v1.34.4 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
//	go run ./.ci/schemas "$dir/api/openapi-spec/swagger.json" deploy/schemas CRDS.yaml…
//
// The CRDs are those of github.com/nats-io/nack (deploy/crds.yml) and
// github.com/prometheus-operator/prometheus-operator (podmonitors, prometheusrules
// in example/prometheus-operator-crd).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// object is a JSON object.
type object = map[string]any

// kind is one kind of object that is deployed.
type kind struct{ group, version, name string }

func kinds() []kind {
	return []kind{
		{"", "v1", "ConfigMap"},
		{"", "v1", "Namespace"},
		{"", "v1", "Pod"},
		{"", "v1", "Secret"},
		{"", "v1", "Service"},
		{"apps", "v1", "Deployment"},
		{"apps", "v1", "StatefulSet"},
		{"networking.k8s.io", "v1", "NetworkPolicy"},
		{"policy", "v1", "PodDisruptionBudget"},
	}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: schemas SWAGGER.json DIRECTORY [CRDS.yaml...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// crds are the custom kinds that are deployed.
func crds() []string { return []string{"KeyValue", "PodMonitor", "PrometheusRule", "Stream"} }

func run(swagger, directory string, custom []string) error {
	for _, file := range custom {
		if err := writeCRDs(file, directory); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
	}
	data, err := os.ReadFile(swagger)
	if err != nil {
		return fmt.Errorf("read the API: %w", err)
	}
	var api struct{ Definitions map[string]object }
	if err := json.Unmarshal(data, &api); err != nil {
		return fmt.Errorf("read the API: %w", err)
	}
	for _, k := range kinds() {
		if err := write(k, api.Definitions, directory); err != nil {
			return fmt.Errorf("write schema of %s: %w", k.name, err)
		}
	}
	return nil
}

// definitionOfKind is a custom resource definition.
type definitionOfKind struct {
	Spec struct {
		Group    string
		Names    struct{ Kind string }
		Versions []struct {
			Name    string
			Storage bool
			Schema  struct {
				OpenAPIV3Schema object `yaml:"openAPIV3Schema"`
			}
		}
	}
}

// writeCRDs writes schemas of those kinds of a file that are deployed.
func writeCRDs(file, directory string) error {
	data, err := os.Open(file)
	if err != nil {
		return err
	}
	defer data.Close()
	for documents := yaml.NewDecoder(data); ; {
		var d definitionOfKind
		if err := documents.Decode(&d); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !slices.Contains(crds(), d.Spec.Names.Kind) {
			continue
		}
		for _, version := range d.Spec.Versions {
			if !version.Storage {
				continue
			}
			k := kind{d.Spec.Group, version.Name, d.Spec.Names.Kind}
			top := strict(version.Schema.OpenAPIV3Schema).(object)
			top["properties"].(object)["metadata"] = object{"type": "object"}
			if err := save(k, top, object{}, directory); err != nil {
				return err
			}
		}
	}
}

func write(k kind, definitions map[string]object, directory string) error {
	for _, definition := range definitions {
		if !describes(definition, k) {
			continue
		}
		top, needed := strict(definition).(object), object{}
		collect(top, definitions, needed)
		return save(k, top, needed, directory)
	}
	return fmt.Errorf("the API has no %s/%s", k.group, k.version)
}

// save writes the schema of a kind, with what it refers to.
func save(k kind, top, definitions object, directory string) error {
	properties := top["properties"].(object)
	properties["kind"] = object{"enum": []string{k.name}}
	properties["apiVersion"] = object{"enum": []string{k.apiVersion()}}
	top["required"] = []string{"apiVersion", "kind", "metadata"}
	top["definitions"] = definitions
	top["$schema"] = "http://json-schema.org/draft-07/schema#"
	data, err := json.Marshal(top)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, k.file()), append(data, '\n'), 0o644)
}

// file is the name that kubeconform asks for.
func (k kind) file() string {
	first, _, _ := strings.Cut(k.group, ".")
	parts := slices.DeleteFunc([]string{strings.ToLower(k.name), first, k.version}, func(s string) bool { return s == "" })
	return strings.Join(parts, "-") + ".json"
}

func (k kind) apiVersion() string { return strings.TrimPrefix(k.group+"/"+k.version, "/") }

func describes(definition object, k kind) bool {
	list, _ := definition["x-kubernetes-group-version-kind"].([]any)
	if len(list) != 1 {
		return false
	}
	gvk, _ := list[0].(object)
	return gvk["group"] == k.group && gvk["version"] == k.version && gvk["kind"] == k.name
}

const reference = "#/definitions/"

// collect gathers what value refers to, and what that refers to.
func collect(value any, definitions map[string]object, needed object) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			collect(one, definitions, needed)
		}
	case object:
		target, _ := v["$ref"].(string)
		name, isReference := strings.CutPrefix(target, reference)
		if isReference && needed[name] == nil {
			needed[name] = definition(name, definitions)
			collect(needed[name], definitions, needed)
		}
		for _, one := range v {
			collect(one, definitions, needed)
		}
	}
}

// definition is what a name stands for. Two are more than the API says of
// them: it calls them strings, and takes numbers.
func definition(name string, definitions map[string]object) any {
	switch {
	case strings.HasSuffix(name, ".intstr.IntOrString"):
		return object{"type": []string{"string", "integer"}}
	case strings.HasSuffix(name, ".resource.Quantity"):
		return object{"type": []string{"string", "number"}}
	}
	return strict(definitions[name])
}

// strict copies a schema without its prose, and closes its objects.
func strict(value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = strict(v[i])
		}
		return out
	case object:
		return closed(v)
	}
	return value
}

func closed(in object) object {
	out := object{}
	for key, value := range in {
		if key != "description" && !strings.HasPrefix(key, "x-kubernetes") && key != "properties" {
			out[key] = strict(value)
		}
	}
	if properties, ok := in["properties"].(object); ok {
		out["properties"] = fields(properties)
		if out["additionalProperties"] == nil {
			out["additionalProperties"] = false
		}
	}
	return out
}

// fields are the fields of an object, of which "description" may be one.
func fields(in object) object {
	out := object{}
	for name, value := range in {
		out[name] = strict(value)
	}
	return out
}
