package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
)

// configVariable names the configuration file where --config does not.
const configVariable = "ROLLCALL_CONFIG"

// addConfigFlag returns a command the flags that [program.loadConfig] reads.
func addConfigFlag(cmd *cobra.Command) {
	cmd.Flags().StringArray("set", nil, "a `KEY=VALUE` over the configuration, as http.listen=:8080 (repeatable)")
	cmd.Flags().String("config", "", "the configuration `FILE` (default: what "+configVariable+" names, otherwise the built-in defaults)")
}

// loadConfig reads the configuration that --config or the environment names;
// without either it is the built-in one. Over it stand the environment's values and
// those of --set. Its errors are usage errors and hold everything that is wrong.
func (p *program) loadConfig(cmd *cobra.Command) (config.Config, error) {
	source, err := p.configSource(cmd)
	if err != nil {
		return config.Config{}, err
	}
	loaded, err := p.readConfig(cmd.Context(), source)
	return loaded.Config, err
}

// configSource says what the configuration is to be made of, and reads nothing.
func (p *program) configSource(cmd *cobra.Command) (source config.Source, err error) {
	flags := cmd.Flags()
	name, err := flags.GetString("config")
	if err == nil {
		source.Set, err = flags.GetStringArray("set")
	}
	if err != nil {
		return source, fmt.Errorf("read the flags --config and --set: %w", err)
	}
	if !flags.Changed("config") {
		name, _ = p.env(configVariable)
	} else if name == "" {
		return source, usageErrorf("--config names no file")
	}
	source.Name, source.Env = name, p.env
	return source, nil
}

// readConfig reads the file of a source, and all that goes with it.
func (p *program) readConfig(ctx context.Context, source config.Source) (loaded config.Loaded, err error) {
	if source.Name != "" {
		if source.Data, err = readBounded(ctx, source.Name); err != nil {
			return loaded, usageErrorf("read configuration: %w", err)
		}
	}
	loaded, err = source.Load()
	if complaints, ok := errors.AsType[config.Complaints](err); ok {
		return loaded, usageError{listed(source.Name, complaints)}
	}
	return loaded, err
}

// readBounded reads a file up to one byte more than a configuration may have.
// It may be a pipe, to which nobody may ever write: a stop does not wait for it.
func readBounded(ctx context.Context, name string) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	read := make(chan content, 1)
	go func() {
		data, err := readFile(name)
		read <- content{data, err}
	}()
	select {
	case c := <-read:
		return c.data, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, config.MaxBytes+1))
}

// listed puts the complaints below the name of their file.
func listed(file string, complaints config.Complaints) error {
	count := "1 mistake"
	if len(complaints) > 1 {
		count = fmt.Sprintf("%d mistakes", len(complaints))
	}
	lines := strings.ReplaceAll(complaints.Error(), "\n", "\n  ")
	return fmt.Errorf("%s in the configuration %s:\n  %s", count, cmp.Or(file, "of the environment and the command line"), lines)
}
