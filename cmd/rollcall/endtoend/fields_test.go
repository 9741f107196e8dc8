package endtoend_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The judge folds all that is said of people: a member that it does not read
// would never be judged.
func TestTheJudgeReadsAllThatIsSaidOfPeople(t *testing.T) {
	files, err := filepath.Glob("../../../contract/golden/participant.*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden events, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		said, err := decode[struct {
			Type string
			Data struct{ Participant json.RawMessage }
		}](data)
		strict := json.NewDecoder(bytes.NewReader(said.Data.Participant))
		strict.DisallowUnknownFields()
		if err == nil {
			err = strict.Decode(new(person))
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}
