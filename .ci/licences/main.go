// Command licences writes the licences and notices of everything that is linked
// into the image: Go's own, uPlot's, and those of each package up to its module's root.
// The same text is written once, below the names of all whose it is.
//
//	go run ./.ci/licences > deploy/third-party-licences.txt
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// pack is a package as go list shows it.
type pack struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

func run(out io.Writer) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go: %w", err)
	}
	owners := make(map[string][]string) // by text
	if _, err := gather(owners, "the Go standard library", strings.TrimSpace(string(root))); err != nil {
		return err
	}
	if _, err := gather(owners, "uPlot 1.6.32", "console/live/assets/uplot"); err != nil {
		return err
	}
	packages, err := linked()
	if err != nil {
		return err
	}
	bare := make(map[string]bool) // modules of which no licence was found yet
	for _, p := range packages {
		if p.Module == nil || p.Module.Main {
			continue
		}
		name := p.Module.Path + " " + p.Module.Version
		found := false
		for dir := p.Dir; strings.HasPrefix(dir, p.Module.Dir); dir = filepath.Dir(dir) {
			some, err := gather(owners, name, dir)
			if err != nil {
				return err
			}
			found = found || some
		}
		if !found {
			bare[name] = true
		}
	}
	for name := range bare {
		err = errors.Join(err, fmt.Errorf("%s has no licence", name))
	}
	return errors.Join(err, write(out, owners))
}

// linked lists the packages of the program in the image.
func linked() ([]pack, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "-tags", "timetzdata", "./cmd/rollcall")
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	listed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var all []pack
	for decoder := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p pack
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		all = append(all, p)
	}
}

// gather adds the texts in a directory, and reports whether there are any.
func gather(owners map[string][]string, name, dir string) (some bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	legal := regexp.MustCompile(`(?i)^(licen[sc]e|notice|copying|patents)(\.(txt|md))?$`)
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !legal.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return false, err
		}
		key := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if !slices.Contains(owners[key], name) {
			owners[key] = append(owners[key], name)
		}
		some = true
	}
	return some, nil
}

func write(out io.Writer, owners map[string][]string) error {
	var parts []string
	for text, names := range owners {
		slices.Sort(names)
		parts = append(parts, strings.Join(names, "\n")+"\n\n"+text+"\n")
	}
	slices.Sort(parts)
	const front = "Rollcall's image holds what these have written. Made by go run ./.ci/licences.\n"
	line := "\n" + strings.Repeat("=", 80) + "\n\n"
	_, err := io.WriteString(out, front+line+strings.Join(parts, line))
	return err
}
