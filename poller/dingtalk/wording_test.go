package dingtalk

import (
	"encoding/json"
	"testing"
)

func FuzzQueryBody(f *testing.F) {
	f.Add("63c5fa2e9bbd6a2f9d", "b/ü *.>")
	f.Add("", "\"\\<>&\x7f\u2028\xff\n~ ")
	f.Fuzz(func(t *testing.T, one, other string) {
		for _, ids := range [][]string{{}, {one}, {one, other, one}} {
			want, err := json.Marshal(map[string][]string{"conferenceIdList": ids})
			if err != nil {
				t.Fatal(err)
			}
			if got := queryBody(ids); string(got) != string(want) {
				t.Fatalf("asks %s, want %s", got, want)
			}
		}
	})
}
