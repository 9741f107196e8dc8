package note_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
)

var update = flag.Bool("update", false, "write the rendered samples anew")

// samples are those of every kind of note.
func samples() []note.Note {
	var all []note.Note
	for _, kind := range note.Kinds() {
		all = append(all, note.Samples(kind)...)
	}
	return all
}

func newWriter(t *testing.T, language string) *note.Writer {
	t.Helper()
	w, err := note.NewWriter(language, time.UTC, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// What each service is sent of each sample, in both languages.
func TestSamplesOfEveryTarget(t *testing.T) {
	for _, kind := range target.Kinds() {
		if kind.Markup == nil {
			continue // it takes events
		}
		for _, language := range note.Languages() {
			t.Run(kind.Name+"/"+language, func(t *testing.T) {
				sent := sentTo(t, kind, newWriter(t, language), samples())
				var out bytes.Buffer
				encoder := json.NewEncoder(&out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", " ")
				if err := encoder.Encode(sent); err != nil {
					t.Fatal(err)
				}
				golden(t, kind.Name+"."+language+".json", out.Bytes())
			})
		}
	}
}

// What a terminal shows of them, and of every type of event with every reason.
func TestSamplesAsText(t *testing.T) {
	for _, language := range note.Languages() {
		t.Run(language, func(t *testing.T) {
			w := newWriter(t, language)
			var out bytes.Buffer
			for _, n := range append(samples(), note.EveryChange()...) {
				title, body, err := w.Write(n, note.Plain{})
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "%s\n%s\n\n", title, body)
			}
			golden(t, "plain."+language+".txt", out.Bytes())
		})
	}
}

// recorder is a service that takes everything.
type recorder struct{ bodies []json.RawMessage }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	r.bodies = append(r.bodies, body)
	answer := io.NopCloser(strings.NewReader(`{"errcode":0,"code":0}`))
	if strings.Contains(req.URL.Path, "slack") {
		answer = io.NopCloser(strings.NewReader("ok"))
	}
	return &http.Response{StatusCode: 200, Body: answer, Header: http.Header{}, Request: req}, err
}

func sentTo(t *testing.T, kind target.Kind, w *note.Writer, notes []note.Note) []json.RawMessage {
	t.Helper()
	address, err := target.ParseAddress("https://" + kind.Name + ".example/" + kind.Name + "?access_token=t&key=k")
	if err != nil {
		t.Fatal(err)
	}
	var sent recorder
	robot, err := kind.New(target.Options{
		Address: address, Transport: &sent, Now: func() time.Time { return time.Unix(0, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range notes {
		title, body, err := w.Write(n, kind.Markup(isDigest(n)))
		if err != nil {
			t.Fatal(err)
		}
		_, plain, err := w.Write(n, note.Plain{})
		if err != nil {
			t.Fatal(err)
		}
		m := target.Message{ID: fmt.Sprintf("sample-%d", i+1), Title: title, Body: body, Plain: plain, Digest: isDigest(n)}
		if got := robot.Send(t.Context(), m); got.Class != target.Delivered {
			t.Fatalf("sample %d: %+v", i+1, got)
		}
	}
	return sent.bodies
}

func isDigest(n note.Note) bool { return n.Kind == note.Digest || n.Kind == note.CatchUp }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if !utf8.Valid(got) {
		t.Errorf("%s is not UTF-8", name)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it with -update and git diff", file)
	}
}
