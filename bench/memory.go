package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func get(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("read %s: %s", address, response.Status)
	}
	return response.Body, nil
}

// memory reads how many objects the worker has allocated since its start, and
// how many bytes its heap holds.
func memory(ctx context.Context, console string) (mallocs, heap float64, err error) {
	body, err := get(ctx, console+"/metrics")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "go_memstats_mallocs_total":
			mallocs, err = strconv.ParseFloat(value, 64)
		case "go_memstats_heap_alloc_bytes":
			heap, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("read metrics: %s: %w", name, err)
		}
	}
	return mallocs, heap, lines.Err()
}

// liveHeap is what the worker's heap holds right after a garbage collection,
// which reading the heap's profile with gc=1 makes; the least of some, since
// the worker goes on asking meanwhile.
func (s *scene) liveHeap(ctx context.Context) (least float64, err error) {
	for n := range 5 {
		body, err := get(ctx, s.console+"/debug/pprof/heap?gc=1")
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, body)
		_ = body.Close()
		_, heap, err := memory(ctx, s.console)
		if err != nil {
			return 0, err
		}
		if n == 0 || heap < least {
			least = heap
		}
	}
	return least, nil
}

// profile writes profiles of the worker, if they are wanted, into files named
// for the case: rollcall-1000x20-10-profile.
func (b *bench) profile(ctx context.Context, s *scene, rate float64, names ...string) error {
	if b.profiles == "" {
		return nil
	}
	for _, name := range names {
		body, err := get(ctx, s.console+"/debug/pprof/"+name)
		if err != nil {
			return err
		}
		profile, err := io.ReadAll(body)
		_ = body.Close()
		if err != nil {
			return fmt.Errorf("read the profile %s: %w", name, err)
		}
		kind, _, _ := strings.Cut(name, "?")
		file := fmt.Sprintf("%s-%dx%d-%g-%s-%s", s.client.name, s.world.Meetings, s.world.People, rate, s.sync, kind)
		if err := os.WriteFile(filepath.Join(b.profiles, file), profile, 0o600); err != nil {
			return fmt.Errorf("write a profile: %w", err)
		}
	}
	return nil
}
