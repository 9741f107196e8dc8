package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set at link time (-ldflags "-X main.version=v1.2.3 -X main.commit=…"), and
// never after; empty: what the Go tool noted.
var version, commit string

// build says what this binary was made of.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// thisBuild joins what was said at link time with what the Go tool noted.
func thisBuild() build {
	b := build{Version: version, Commit: commit, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	noted := settings["vcs.revision"]
	if noted != "" && settings["vcs.modified"] == "true" {
		noted += "-modified"
	}
	b.Version = cmp.Or(b.Version, info.Main.Version, "(devel)")
	b.Commit = cmp.Or(b.Commit, noted, "unknown")
	return b
}

func versionCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print which rollcall this is",
		Example: "  rollcall version --json",
		Args:    cobra.NoArgs,
	}
	asJSON := cmd.Flags().Bool("json", false, "as one JSON object: version, commit, go")
	cmd.RunE = func(*cobra.Command, []string) error {
		b := thisBuild()
		if *asJSON {
			return json.NewEncoder(p.stdout).Encode(b)
		}
		_, err := fmt.Fprintf(p.stdout, "rollcall %s (commit %s, %s)\n", b.Version, b.Commit, b.Go)
		return err
	}
	return cmd
}
