// Command rollcall watches DingTalk meetings and publishes what changes in
// them to NATS. It promises three exit codes: 0 done, 1 failed, 2 misused,
// which includes a mistake in the configuration; that the first SIGINT or
// SIGTERM ends it in order, which is done, and the second one at once, which
// is failed; and that results go to standard output, everything else to standard error.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A pipe that breaks ends a command in order, like any write that fails.
	signal.Ignore(syscall.SIGPIPE)
	p := program{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv}
	ctx, release := interruptible(context.Background(), os.Stderr, func() { os.Exit(exitFailed) })
	code := p.run(ctx)
	release()
	os.Exit(code)
}
