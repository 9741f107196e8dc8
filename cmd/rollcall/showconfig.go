package main

import (
	"io"

	"github.com/spf13/cobra"

	"rollcall/cmd/rollcall/config"
)

const configHelp = `Config prints the configuration in force, as one document that can be loaded again,
and behind each value where it comes from: a line of the file or of a file in
tenants_dir, an environment variable, --set, or the default.

Each key can be given in the environment: nats.url as ROLLCALL_NATS_URL,
tenants[0].poll.qps as ROLLCALL_TENANTS_0_POLL_QPS or, with the tenant's name, as
ROLLCALL_TENANTS_ACME_POLL_QPS; a list as YAML. An empty variable says nothing.
--set stands over the environment, which stands over the file.

No secret is in it, since these stand in files; a path that leads to no file is
not shown. Exit code 2: the configuration has mistakes, which are all printed.`

func configCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in force, and where each value comes from",
		Long:  configHelp,
		Example: `  rollcall config --config rollcall.yaml
  rollcall config --config rollcall.yaml --set log.level=debug --json
  rollcall config --schema`,
		Args: cobra.NoArgs,
	}
	addConfigFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "one JSON object a key: key, value, origin")
	schema := cmd.Flags().Bool("schema", false, "print the JSON Schema of a configuration, and read none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *schema {
			_, err := io.WriteString(p.stdout, config.Schema)
			return err
		}
		source, err := p.configSource(cmd)
		if err != nil {
			return err
		}
		loaded, err := p.readConfig(cmd.Context(), source)
		if err != nil {
			return err
		}
		if !*asJSON {
			_, err = io.WriteString(p.stdout, loaded.YAML())
			return err
		}
		for _, value := range loaded.Values() {
			if err := writeJSON(p.stdout, value); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}
