package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/cmd/rollcall/config"
)

// load reads a configuration as the worker in the pod would.
func load(t *testing.T, file string) config.Config {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(data, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return cfg
}

func TestEveryConfigurationIsAccepted(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	overlays, err := filepath.Glob("kubernetes/overlays/*/rollcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, overlays...)
	if len(files) < 4 {
		t.Fatalf("found %q: the test looks in the wrong place", files)
	}
	for _, file := range files {
		cfg := load(t, file)
		if cfg.HTTP.Listen != "0.0.0.0:8080" {
			t.Errorf("%s: http.listen is %s: the kubelet asks 0.0.0.0:8080", file, cfg.HTTP.Listen)
		}
		if cfg.DataDir != "/var/lib/rollcall" {
			t.Errorf("%s: data_dir %q does not fit the pod", file, cfg.DataDir)
		}
		if single := strings.Contains(file, "/single/"); single != (cfg.NATS.URL == "") {
			t.Errorf("%s: nats.url is %q: only the overlay single brings its own NATS", file, cfg.NATS.URL)
		}
	}
}
