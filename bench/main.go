// Command bench measures what Rollcall costs, on this machine, from outside: a
// simulated DingTalk whose answers were rendered before, a nats-server with
// file storage, and the built worker, each a process of its own. One poll
// follows the other. Afterwards everything that was stored is held against the
// truth: a figure of a run that lost, repeated or invented an event is not
// printed. In turn with the worker it measures a plain script that does the
// same as people would write it, in bench/plain.
//
//	make bench                                        everything, a quarter of an hour
//	make bench BENCHFLAGS='-meetings 1000 -runs 1'    a part
//	make bench BENCHFLAGS='-situations all -time 10s' worker and broker together, paced, far away, with many tenants, over TLS, …
//	make bench BENCHFLAGS=-scale                      1,000 to 100,000 meetings over 50 tenants, and the start
//	make bench BENCHFLAGS='-pages 50 -time 20s'       what 50 open pages cost the console
//	make bench BENCHFLAGS='-plain=false -profile DIR' with profiles of the worker
//
// It needs Linux, whose /proc shows what a process takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:]); {
	case err == nil || errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the bench, or with the name of a sub-command one of its helpers.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "simulate" {
		return simulate(args[1:])
	}
	if len(args) > 0 && args[0] == "broker" {
		return broker(args[1:])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	return o.measure(ctx)
}
