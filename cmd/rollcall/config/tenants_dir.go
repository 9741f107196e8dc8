package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"rollcall/internal/strictyaml"
)

// tenantFiles adds the tenants of the files in tenants_dir, in the order of the
// files' names.
func (r reader) tenantFiles(config *Config) {
	if config.TenantsDir == "" {
		return
	}
	files, err := tenantFilesIn(config.TenantsDir)
	if err != nil {
		r.Refuse("tenants_dir", "cannot be read: "+err.Error())
	}
	defer func() { r.File = "" }()
	for _, file := range files {
		r.File = file
		data, err := readBounded(file)
		if err != nil {
			r.Add(0, "", "cannot be read: "+err.Error())
			continue
		}
		root, err := r.Document(data, MaxBytes, "a file of tenants")
		if complaints, is := errors.AsType[strictyaml.Complaints](err); is {
			r.Collect(complaints)
		} else if root != nil {
			r.tenantFile(config, root)
		}
	}
}

// tenantFilesIn are the files of a directory that hold tenants. What is hidden is
// left out: Kubernetes keeps its own there.
func tenantFilesIn(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); slices.Contains([]string{".yaml", ".yml"}, ext) && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, err
}

// readBounded reads up to one byte more than a configuration may have.
func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, MaxBytes+1))
}

// tenantFile reads one tenant, or a list of them.
func (r reader) tenantFile(config *Config, root *yaml.Node) {
	items := []*yaml.Node{root}
	if root.Kind == yaml.SequenceNode {
		items = root.Content
	}
	for _, item := range items {
		at := fmt.Sprintf("tenants[%d]", len(config.Tenants))
		r.Mark(at, strictyaml.Place{File: r.File, Line: item.Line})
		config.Tenants = append(config.Tenants, Tenant{})
		tenant := &config.Tenants[len(config.Tenants)-1]
		r.Value(at, item, func(at string, n *yaml.Node) string { return r.item(at, n, reflect.ValueOf(tenant).Elem()) })
	}
}
