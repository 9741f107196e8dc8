package deploy_test

import (
	"os"
	"path/filepath"
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
	if len(files) < 2 {
		t.Fatalf("found %q: the test looks in the wrong place", files)
	}
	for _, file := range files {
		cfg := load(t, file)
		if cfg.HTTP.Listen != "0.0.0.0:8080" {
			t.Errorf("%s: http.listen is %s: the kubelet asks 0.0.0.0:8080", file, cfg.HTTP.Listen)
		}
		if cfg.NATS.URL == "" || cfg.DataDir != "/var/lib/rollcall" {
			t.Errorf("%s: nats.url %q and data_dir %q do not fit the Deployment", file, cfg.NATS.URL, cfg.DataDir)
		}
	}
}
