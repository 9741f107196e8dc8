package main

import (
	"errors"

	"github.com/spf13/cobra"
)

const rootHelp = `Rollcall watches DingTalk video meetings: it asks DingTalk about the tracked
meetings on a schedule, compares every answer with the last one, and publishes
what changed (somebody joined, was kicked out, opened the microphone; the
meeting ended) to NATS.

Exit codes: 0 done, 1 failed, 2 misused (a mistake in the configuration is one).`

const rootExample = `  rollcall check --config rollcall.yaml   # what is wrong, and how to fix it
  rollcall run --config rollcall.yaml     # the worker
  rollcall tail --since 10m               # what happened, one line an event
  rollcall simulate --meetings 2          # DingTalk's API on this machine`

// root is the command without a name; the others hang below it.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "rollcall",
		Short:         "Watch DingTalk meetings and publish what changes in them",
		Long:          rootHelp,
		Example:       rootExample,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetHelpCommand(helpCommand())
	root.AddCommand(runCommand(p), demoCommand(p), consoleCommand(p), simulateCommand(p), tailCommand(p), reportCommand(p), replayCommand(p), explainCommand(p), workersCommand(p), budgetCommand(p), checkCommand(p), forwardCommand(p), verifyCommand(p), configCommand(p), statusCommand(p), versionCommand(p))
	root.AddCommand(workerCommands(p)...)
	root.AddCommand(p.more...)
	addCompletion(root, p.args)
	return root
}

// helpCommand is cobra's, except that help about nothing is a usage error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command]",
		Short:   "Print how a command is used",
		Example: "  rollcall help tail",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = errors.New("there is no such command")
			}
			if err != nil {
				return usageError{err}
			}
			return topic.Help()
		},
	}
}
