package main

import (
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

// addConfigFlag returns a command the flag that [program.loadConfig] reads.
func addConfigFlag(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "the configuration `FILE` (default: what "+configVariable+" names, otherwise the built-in defaults)")
}

// loadConfig reads the configuration that --config or the environment names;
// without either it is the built-in one. Its errors are usage errors and hold
// everything that is wrong.
func (p *program) loadConfig(cmd *cobra.Command) (config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Config{}, fmt.Errorf("read flag --config: %w", err)
	}
	if !cmd.Flags().Changed("config") {
		file, _ = p.env(configVariable)
		if file == "" {
			return config.Defaults(), nil
		}
	}
	data, err := readBounded(cmd.Context(), file)
	if err != nil {
		return config.Config{}, usageErrorf("read configuration: %w", err)
	}
	loaded, err := config.Load(data, p.env)
	if complaints, ok := errors.AsType[config.Complaints](err); ok {
		return config.Config{}, usageError{listed(file, complaints)}
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
	return fmt.Errorf("%s in the configuration %s:\n  %s", count, file, lines)
}
