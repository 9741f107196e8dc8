package embedded_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rollcall/internal/embedded"
)

// found lists the files below a directory that hold a text.
func found(t *testing.T, dir, text string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// book makes the ledger's stream with the records of a meeting, each in place of the
// one before, of which the first show a name, and events beside them.
func book(t *testing.T, js jetstream.JetStream) jetstream.Stream {
	t.Helper()
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "MEETINGS", Subjects: []string{"meetings.>"}, AllowRollup: true, AllowMsgTTL: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		who := "Zerafina"
		if i >= 50 {
			who = "nobody"
		}
		for subject, header := range map[string]nats.Header{
			"meetings.state.acme.c1": {"Nats-Rollup": {"sub"}, "Nats-TTL": {"never"}}, "meetings.event.acme.c1.meeting.started": nil,
		} {
			text := fmt.Sprintf("%d of %s", i, who)
			if header == nil {
				text = fmt.Sprintf("event %d", i)
			}
			if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: subject, Header: header, Data: []byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return stream
}

// texts are what is stored, by sequence.
func texts(t *testing.T, stream jetstream.Stream) map[uint64]string {
	t.Helper()
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[uint64]string{}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		if m, err := stream.GetMsg(t.Context(), seq); err == nil {
			all[seq] = string(m.Data)
		}
	}
	return all
}

// What records that were replaced said is nowhere on the disk any more, and all that
// is stored is there, also after the next start.
func TestWhatNATSLeavesIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{DataDir: dir})
	js := asWorker(t, s)
	stream := book(t, js)
	before := texts(t, stream)
	if len(found(t, dir, "Zerafina")) == 0 {
		t.Fatal("NATS leaves nothing behind: is there anything to overwrite?")
	}
	if n, err := s.Scrub(t.Context()); err != nil || n < 50 {
		t.Fatalf("%d messages are overwritten: %v", n, err)
	}
	if files := found(t, dir, "Zerafina"); len(files) > 0 {
		t.Errorf("the name still stands in %q", files)
	}
	if n, err := s.Scrub(t.Context()); err != nil || n != 0 {
		t.Errorf("%d messages are overwritten again: %v", n, err)
	}
	if _, err := js.Publish(t.Context(), "meetings.event.acme.c1.meeting.ended", []byte("the end")); err != nil {
		t.Fatal(err)
	}
	before[121] = "the end"
	for _, name := range []string{"", "index.db"} { // the server's own list of what is deleted, with it and without
		s.Close()
		if name != "" {
			if err := os.Remove(filepath.Join(dir, "jetstream", "$G", "streams", "MEETINGS", "msgs", name)); err != nil {
				t.Fatal(err)
			}
		}
		s = start(t, embedded.Config{DataDir: dir})
		stream, err := asWorker(t, s).Stream(t.Context(), "MEETINGS")
		if err != nil {
			t.Fatal(err)
		}
		if after := texts(t, stream); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("without %q: stored is %v, was %v", name, after, before)
		}
	}
}

// A process dies while it overwrites a message: the next one does it again before NATS
// reads its files, so that nothing behind it is lost.
func TestOverwritingIsFinishedByTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{DataDir: dir})
	stream := book(t, asWorker(t, s))
	before := texts(t, stream)
	s.Close()
	block := filepath.Join(dir, "jetstream", "$G", "streams", "MEETINGS", "msgs", "1.blk")
	data, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("17 of Zerafina"))
	head := bytes.LastIndex(data[:at], []byte("meetings.state.acme.c1")) - 22
	length := int64(binary.LittleEndian.Uint32(data[head:]) &^ (1 << 31))
	redo, err := json.Marshal(map[string]any{"Stream": "MEETINGS", "File": "jetstream/$G/streams/MEETINGS/msgs/1.blk", "Records": []map[string]any{{
		"At": head, "Length": length, "Sequence": binary.LittleEndian.Uint64(data[head+4:]),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	copy(data[at:], "torn") // half of it
	for name, content := range map[string][]byte{block: data, filepath.Join(dir, "scrub.redo"): redo} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(filepath.Dir(block), "index.db")); err != nil {
		t.Fatal(err)
	}
	s = start(t, embedded.Config{DataDir: dir})
	stream, err = asWorker(t, s).Stream(t.Context(), "MEETINGS")
	if err != nil {
		t.Fatal(err)
	}
	if after := texts(t, stream); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("stored is %v, was %v", after, before)
	}
	if _, err := os.Stat(filepath.Join(dir, "scrub.redo")); err == nil {
		t.Error("what was to be done is still to be done")
	}
}
