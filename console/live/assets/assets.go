// Package assets holds what a browser needs to show the live page: modules,
// styles and uPlot, embedded as they are written, without a build step. Each is
// served compressed and by its ETag.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed app/* uplot/*
var files embed.FS

// Files are the assets, ready to be served. They are made by [New].
type Files struct {
	// Version differs between two programs that have other assets.
	Version string

	byPath map[string]file // app/app.js
}

// file is an asset in both of its forms.
type file struct {
	Body
	kind string
}

// New reads and compresses all assets.
func New() (*Files, error) {
	f, all := &Files{byPath: map[string]file{}}, sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(all, "%s %d\n%s", name, len(data), data) // a hash takes everything
		f.byPath[name] = file{Pack(data), kindOf(name)}
		return nil
	})
	f.Version = hex.EncodeToString(all.Sum(nil)[:8])
	return f, err
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}

// ServeHTTP serves the asset that the path names, without a slash in front.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, ok := f.byPath[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	found.Serve(w, r, found.kind)
}

// Body is what is served, plain and compressed, under its ETag.
type Body struct {
	tag            string
	plain, gzipped []byte
}

// compressors are used again: one takes 800 KB.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// Pack compresses what is going to be served.
func Pack(data []byte) Body {
	sum := sha256.Sum256(data)
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return Body{`"` + hex.EncodeToString(sum[:12]) + `"`, data, b.Bytes()}
}

// Serve answers with the body, or with 304 where the browser has it already.
// It is asked about each time, so that no old part runs beside a new one.
func (b *Body) Serve(w http.ResponseWriter, r *http.Request, kind string) {
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Accept-Encoding")
	// Weak: both forms go under one tag.
	header.Set("ETag", "W/"+b.tag)
	if strings.Contains(r.Header.Get("If-None-Match"), b.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	data := b.plain
	if Gzipped(r) {
		header.Set("Content-Encoding", "gzip")
		data = b.gzipped
	}
	header.Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(data)) // the client may have gone
	}
}

// Gzipped reports whether whoever asks reads gzip.
func Gzipped(r *http.Request) bool {
	for word := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.ReplaceAll(word, " ", ""), ";")
		if name == "gzip" && q != "q=0" && q != "q=0.0" {
			return true
		}
	}
	return false
}
