package note_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"rollcall/forwarder/note"
	"rollcall/forwarder/target"
	"rollcall/simulator/chat"
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

// sentTo sends each note to the service on this machine, each to a robot of its
// own for the sake of its limits, and returns what was sent.
func sentTo(t *testing.T, kind target.Kind, w *note.Writer, notes []note.Note) (sent []json.RawMessage) {
	t.Helper()
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
		sent = append(sent, shownOf(t, kind, m))
	}
	return sent
}

// shownOf returns the request for a message, which the service must take.
func shownOf(t *testing.T, kind target.Kind, m target.Message) json.RawMessage {
	t.Helper()
	team := chat.Robot{Service: kind.Name, Name: "team"}
	services, err := chat.New(chat.Config{Robots: []chat.Robot{team}})
	if err != nil {
		t.Fatalf("%s: %v: write simulator/chat/%[1]s.go, with a row in services() (service.go)", kind.Name, err)
	}
	address, err := target.ParseAddress("https://chat.example" + team.Path())
	if err != nil {
		t.Fatal(err)
	}
	robot, err := kind.New(target.Options{Address: address, Transport: services.Transport(), Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := robot.Send(t.Context(), m); got.Class != target.Delivered {
		t.Fatalf("%s: simulator/chat/%[1]s.go does not take %s: %+v", kind.Name, m.ID, got)
	}
	return json.RawMessage(services.Messages()[0].Body)
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
	if want, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what is written (%v): go test ./forwarder/note -run Samples -update, and look at the difference", file, err)
	}
}
