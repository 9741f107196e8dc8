package embedded_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/embedded"
)

// smallDisk mounts a disk of 32 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes the whole disk, and gives what frees it again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	_ = f.Close()
	return func() { _ = os.Remove(name) }
}

// The server keeps a write error when there is room again, and says so.
func TestAWriteErrorStaysUntilARestart(t *testing.T) {
	disk := smallDisk(t)
	cfg := embedded.Config{DataDir: filepath.Join(disk, "data"), SyncAlways: true}
	s := start(t, cfg)
	js := asWorker(t, s)
	if _, err := js.CreateStream(minute(t), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	publish := func(js jetstream.JetStream) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := js.Publish(ctx, "s", make([]byte, 8<<10), jetstream.WithRetryAttempts(0))
		return err
	}
	if err := s.WriteError(); publish(js) != nil || err != nil {
		t.Fatalf("with room: %v", err)
	}
	free := fill(t, disk)
	for late := minute(t); s.WriteError() == nil; {
		if _ = publish(js); late.Err() != nil {
			t.Fatal("nothing is wrong with a full disk")
		}
	}
	free()
	if err := publish(js); err == nil {
		t.Error("the server takes messages again by itself: nothing needs to end for it")
	}
	if err := s.WriteError(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("with room again: %v", err)
	}
	s.Close()
	s = start(t, cfg)
	if err := publish(asWorker(t, s)); err != nil || s.WriteError() != nil {
		t.Errorf("started again: %v, %v", err, s.WriteError())
	}
}
