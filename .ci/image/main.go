// Command image builds the image of Rollcall without a daemon: the same as
// deploy/Dockerfile makes, as an OCI layout in a tar, which docker load, kind and
// containerd take, and cosign and crane sign and push. The same source gives the
// same bytes.
//
//	go run ./.ci/image -o rollcall.tar -platforms linux/amd64,linux/arm64
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	var b builder
	out := flag.String("o", "rollcall.tar", "the tar to write")
	platforms := flag.String("platforms", "linux/amd64", "for which it is built, separated by commas")
	flag.StringVar(&b.name, "name", "localhost/rollcall:dev", "the image's name")
	flag.StringVar(&b.version, "version", "", "what rollcall version says")
	flag.StringVar(&b.commit, "commit", "", "what it was built of")
	flag.StringVar(&b.authorities, "authorities", "/etc/ssl/certs/ca-certificates.crt", "the authorities that TLS trusts")
	flag.StringVar(&b.program, "program", "", "a static program to pack in place of Rollcall, for tests")
	flag.Parse()
	if err := b.write(*out, strings.Split(*platforms, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// object is a JSON object.
type object = map[string]any

// builder collects the blobs of an image.
type builder struct {
	name, version, commit, authorities, program string

	out *tar.Writer
}

func (b *builder) write(out string, platforms []string) error {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	b.out = tar.NewWriter(file)
	if err := put(b.out, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return err
	}
	var manifests []any
	for _, platform := range platforms {
		manifest, err := b.manifest(platform)
		if err != nil {
			return fmt.Errorf("build for %s: %w", platform, err)
		}
		manifests = append(manifests, manifest)
	}
	top, err := b.top(manifests)
	if err != nil {
		return err
	}
	_, tag, _ := strings.Cut(b.name, ":")
	top["annotations"] = object{"io.containerd.image.name": b.name, "org.opencontainers.image.ref.name": tag}
	if err := b.putJSON("index.json", object{"schemaVersion": 2, "mediaType": index, "manifests": []any{top}}); err != nil {
		return err
	}
	if err := b.out.Close(); err != nil {
		return err
	}
	fmt.Println(b.name, top["digest"])
	return file.Close()
}

const index = "application/vnd.oci.image.index.v1+json"

// top is the one manifest, or an index of those of several platforms.
func (b *builder) top(manifests []any) (object, error) {
	if len(manifests) == 1 {
		return manifests[0].(object), nil
	}
	return b.blobOf(index, object{"schemaVersion": 2, "mediaType": index, "manifests": manifests})
}

// manifest builds the program for a platform, and puts its image's blobs.
func (b *builder) manifest(platform string) (object, error) {
	system, arch, _ := strings.Cut(platform, "/")
	raw, err := b.layer(system, arch)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := b.blob("application/vnd.oci.image.layer.v1.tar+gzip", packed.Bytes())
	if err != nil {
		return nil, err
	}
	config, err := b.blobOf("application/vnd.oci.image.config.v1+json", object{
		"architecture": arch, "os": system,
		"config": b.runs(),
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(raw)}},
	})
	if err != nil {
		return nil, err
	}
	const kind = "application/vnd.oci.image.manifest.v1+json"
	manifest, err := b.blobOf(kind, object{"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []any{layer}, "annotations": b.labels()})
	if err == nil {
		manifest["platform"] = object{"architecture": arch, "os": system}
	}
	return manifest, err
}

// runs says how the program is started.
func (b *builder) runs() object {
	if b.program != "" {
		return object{"User": "65532:65532", "Entrypoint": []string{"/" + filepath.Base(b.program)}}
	}
	return object{
		"User": "65532:65532", "WorkingDir": "/var/lib/rollcall", "Entrypoint": []string{"/rollcall"}, "Cmd": []string{"run"},
		"ExposedPorts": object{"8080/tcp": object{}}, "Labels": b.labels(),
	}
}

func (b *builder) labels() object {
	return object{
		"org.opencontainers.image.title":       "Rollcall",
		"org.opencontainers.image.description": "Watches DingTalk meetings and publishes what changes in them to NATS",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     b.version,
		"org.opencontainers.image.revision":    b.commit,
	}
}

// file is one of the layer's.
type file struct {
	to, from string
	mode     int64
}

// layer is the one layer, as deploy/Dockerfile copies it together.
func (b *builder) layer(system, arch string) ([]byte, error) {
	authorities := file{"etc/ssl/certs/ca-certificates.crt", b.authorities, 0o644}
	if b.program != "" {
		return pack([]file{authorities, {filepath.Base(b.program), b.program, 0o755}})
	}
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "rollcall")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "timetzdata",
		"-ldflags", "-s -w -X main.version="+b.version+" -X main.commit="+b.commit, "-o", program, "./cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return pack([]file{
		authorities,
		{"licences/LICENSE", "LICENSE", 0o644},
		{"licences/third-party-licences.txt", "deploy/third-party-licences.txt", 0o644},
		{"rollcall", program, 0o755},
	})
}

// pack returns the tar of these files, and of a directory to write to.
func pack(files []file) ([]byte, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, file := range files {
		data, err := os.ReadFile(file.from)
		if err != nil {
			return nil, err
		}
		if err := put(w, file.to, data, file.mode); err != nil {
			return nil, err
		}
	}
	data := &tar.Header{Typeflag: tar.TypeDir, Name: "var/lib/rollcall/", Mode: 0o755, Uid: 65532, Gid: 65532}
	if err := w.WriteHeader(data); err != nil {
		return nil, err
	}
	err := w.Close()
	return layer.Bytes(), err
}

// put adds a file of root's, of no time.
func put(w *tar.Writer, name string, data []byte, mode int64) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := io.Copy(w, bytes.NewReader(data))
	return err
}

func (b *builder) putJSON(name string, value object) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return put(b.out, name, data, 0o644)
}

// blobOf puts a JSON object as a blob, and returns its descriptor.
func (b *builder) blobOf(kind string, value object) (object, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return b.blob(kind, data)
}

func (b *builder) blob(kind string, data []byte) (object, error) {
	err := put(b.out, "blobs/sha256/"+strings.TrimPrefix(digest(data), "sha256:"), data, 0o644)
	return object{"mediaType": kind, "digest": digest(data), "size": len(data)}, err
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }
