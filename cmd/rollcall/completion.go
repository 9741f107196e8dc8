package main

import (
	"github.com/spf13/cobra"

	"rollcall"
	"rollcall/simulator"
)

// addCompletion returns the program cobra's command completion, with examples.
func addCompletion(root *cobra.Command, args []string) {
	root.InitDefaultCompletionCmd(args...)
	examples := map[string]string{
		"completion": "  rollcall completion bash | sudo tee /etc/bash_completion.d/rollcall",
		"bash":       "  rollcall completion bash > /etc/bash_completion.d/rollcall",
		"zsh":        "  rollcall completion zsh > \"${fpath[1]}/_rollcall\"",
		"fish":       "  rollcall completion fish > ~/.config/fish/completions/rollcall.fish",
		"powershell": "  rollcall completion powershell | Out-String | Invoke-Expression",
	}
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		for _, one := range append(cmd.Commands(), cmd) {
			one.Example = examples[one.Name()]
		}
	}
}

// completeWith offers words as the values of a flag.
func completeWith(cmd *cobra.Command, flag string, words []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // there is no such flag, which every test would meet
	}
}

// typeWords are the words that --type of tail understands, the wide ones first.
func typeWords() []string {
	words := []string{"participant.*", "meeting.*", "watch.*"}
	for _, t := range append(rollcall.Types(), rollcall.WatchLost, rollcall.WatchResumed) {
		words = append(words, string(t))
	}
	return words
}

// endStyles are the words of --end-style, as its usage names them.
func endStyles() []string {
	return []string{string(simulator.EndStatus), string(simulator.EndOmitted), string(simulator.EndResourceClosed)}
}
