package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// options are what was asked for.
type options struct {
	meetings []int
	people   int
	rates    []float64
	sync     string
	batch    int
	runs     int
	warmUp   time.Duration
	long     time.Duration // of each measurement
	profiles string        // the directory for them; "": none are taken
	plain    bool
	scale    bool
	pages    int // of the console that are open; 0: they are not measured
	markdown bool
	// situations are parts of their names, separated by commas, or "all"; "": the
	// worker is measured at full speed instead.
	situations string

	progress, out io.Writer
}

func parse(args []string) (*options, error) {
	o := &options{progress: os.Stderr, out: os.Stdout}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	meetings := flags.String("meetings", "1000,10000", "how many meetings, separated by commas")
	rates := flags.String("rates", "0,1,10,100", "percent of the people that change with each poll, separated by commas")
	flags.IntVar(&o.people, "people", 20, "people in each meeting, at most 64")
	flags.StringVar(&o.sync, "sync", "", "the broker writes through to the disk: always, or interval (every two minutes); default: interval, and the fastest change with always as well")
	flags.IntVar(&o.batch, "batch", 100, "meetings a call")
	flags.IntVar(&o.runs, "runs", 5, "how often each case is measured")
	flags.DurationVar(&o.warmUp, "warmup", 3*time.Second, "before each measurement")
	flags.DurationVar(&o.long, "time", 4*time.Second, "each measurement takes; below 15s with -profile")
	flags.StringVar(&o.profiles, "profile", "", "write profiles of the worker (CPU, allocs, heap) for each case into this directory")
	flags.BoolVar(&o.plain, "plain", true, "measure the plain script, and the limits, in turn with the worker")
	flags.StringVar(&o.situations, "situations", "", "measure worker and broker together in these situations (parts of their names, separated by commas, or all) instead")
	flags.BoolVar(&o.scale, "scale", false, "measure 1,000, 10,000 and 100,000 meetings of 10 people over 50 tenants, and the start, instead")
	flags.IntVar(&o.pages, "pages", 0, "measure the console with so many pages open, at 1,000 meetings and 50 changes a second, instead")
	flags.BoolVar(&o.markdown, "markdown", false, "print the tables as Markdown")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return o, errors.Join(o.lists(*meetings, *rates), o.check())
}

func (o *options) lists(meetings, rates string) (err error) {
	for text := range strings.SplitSeq(meetings, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("read -meetings: %q is no number of meetings", text)
		}
		o.meetings = append(o.meetings, n)
	}
	o.rates, err = parseRates(rates)
	return err
}

func (o *options) check() error {
	switch {
	case o.sync != "" && o.sync != "always" && o.sync != "interval":
		return fmt.Errorf("read -sync: %q is neither always nor interval", o.sync)
	case o.people < 1 || o.people > 64:
		return errors.New("read -people: 1 to 64 people are possible")
	case o.batch < 1 || o.batch > 1000 || o.runs < 1 || o.long <= 0:
		return errors.New("read -batch, -runs, -time: at least one is wanted, of -batch at most 1000")
	case o.profiles != "" && o.long >= 15*time.Second:
		return errors.New("read -time: the worker gives no profile of 15s or more")
	}
	return nil
}

func parseRates(list string) (rates []float64, err error) {
	for text := range strings.SplitSeq(list, ",") {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("read rates: %q is no number of percent", text)
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

// measure measures everything that was asked for, in a directory that is gone
// afterwards, and prints the tables.
func (o *options) measure(ctx context.Context) (err error) {
	b := &bench{options: o, began: time.Now()}
	if b.dir, err = os.MkdirTemp("", "rollcall-bench-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	if o.profiles != "" {
		if o.profiles, err = filepath.Abs(o.profiles); err != nil {
			return fmt.Errorf("find the directory for profiles: %w", err)
		}
		if err := os.MkdirAll(o.profiles, 0o755); err != nil {
			return fmt.Errorf("make the directory for profiles: %w", err)
		}
	}
	if err := b.build(); err != nil {
		return err
	}
	if o.pages > 0 {
		return b.measurePages(ctx)
	}
	if o.scale {
		return b.scale(ctx)
	}
	if o.situations != "" {
		return b.measureSituations(ctx)
	}
	return b.compare(ctx)
}
