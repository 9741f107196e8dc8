package dingtalk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"rollcall"
	"rollcall/poller"
)

// batch makes the answer of a batch query about so many meetings of so many people.
func batch(meetings, people int) (body []byte, ids []string) {
	type user struct {
		UserID            string  `json:"userId"`
		Nick              string  `json:"nick"`
		AttendStatus      int     `json:"attendStatus"`
		CameraStatus      int     `json:"cameraStatus"`
		MicStatus         int     `json:"micStatus"`
		RejectDescription *string `json:"rejectDescription"`
	}
	type meeting struct {
		ConferenceID string `json:"conferenceId"`
		Title        string `json:"title"`
		StartTime    int64  `json:"startTime"`
		Status       int    `json:"status"`
		MediaStatus  int    `json:"mediaStatus"`
		UserList     []user `json:"userList"`
	}
	var infos []meeting
	for m := range meetings {
		one := meeting{
			ConferenceID: fmt.Sprintf("63c5fa2e9bbd6a2f9d%06x", m), Title: "Weekly planning 周会",
			StartTime: 1_785_000_000_000, Status: 2,
		}
		for p := range people {
			one.UserList = append(one.UserList, user{
				UserID: fmt.Sprintf("iiPiPqe9dAk2iPiiPiQUiSQiEiE%04d", p), Nick: fmt.Sprintf("张三 %d", p),
				AttendStatus: 1 + p%6, CameraStatus: 1 + p%2, MicStatus: 1 + p%2,
			})
		}
		infos = append(infos, one)
		ids = append(ids, one.ConferenceID)
	}
	body, err := json.Marshal(map[string]any{"infos": infos})
	if err != nil {
		panic(err)
	}
	return body, ids
}

func found(pairs ...string) (list []poller.Found) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, poller.Found{ConferenceID: pairs[i], Raw: []byte(pairs[i+1])})
	}
	return list
}

// undecoded takes out of answers what was decoded on the way: for every meeting
// with other bytes than those known what Decode makes of them, and for no other.
// The body is gone by then.
func undecoded(t *testing.T, answers poller.Answers, body []byte, ids []string, known [][]byte) poller.Answers {
	t.Helper()
	for i := range body {
		body[i] = 'x'
	}
	for i := range answers.Found {
		found := &answers.Found[i]
		number := slices.Index(ids, found.ConferenceID)
		if number < len(known) && bytes.Equal(known[number], found.Raw) {
			if found.Answer != nil {
				t.Fatalf("%s has not changed and is decoded", found.Raw)
			}
			continue
		}
		for _, want := range []*rollcall.Answer{decode(found.Raw), referenceDecode(found.Raw)} {
			if diff := cmp.Diff(want, found.Answer); diff != "" {
				t.Fatalf("%s: %s", found.Raw, diff)
			}
		}
		found.Answer = nil
	}
	return answers
}

func TestSplit(t *testing.T) {
	asked := []string{"a", "b/ü *.>", "17"}
	tests := map[string]struct {
		body   string
		want   poller.Answers
		listed bool
		ok     bool
	}{
		"all": {
			` {"x":[{"infos":1}], "infos" : [ {"conferenceId":"a"} , {"conferenceId":"b\/\u00fc *.>","y":{}},{"conferenceId":17}] } `,
			poller.Answers{Complete: true, Found: found("a", `{"conferenceId":"a"}`,
				"b/ü *.>", `{"conferenceId":"b\/\u00fc *.>","y":{}}`, "17", `{"conferenceId":17}`)},
			true, true,
		},
		"one left out":        {`{"infos":[{"conferenceId":"a"}]}`, poller.Answers{Complete: true, Found: found("a", `{"conferenceId":"a"}`)}, true, true},
		"none":                {`{"infos":[]}`, poller.Answers{Complete: true}, true, true},
		"escaped names":       {`{"\u0069nfos":[{"\u0063onferenceId":"a"}]}`, poller.Answers{Complete: true, Found: found("a", `{"\u0063onferenceId":"a"}`)}, true, true},
		"unasked":             {`{"infos":[{"conferenceId":"A"},{"conferenceId":"a "}]}`, poller.Answers{Complete: true, Unasked: 2}, true, true},
		"id below the top":    {`{"infos":[{"x":{"conferenceId":"a"}}]}`, poller.Answers{}, true, true},
		"the last id counts":  {`{"infos":[{"conferenceId":"z","conferenceId":"a"}]}`, poller.Answers{Complete: true, Found: found("a", `{"conferenceId":"z","conferenceId":"a"}`)}, true, true},
		"null element":        {`{"infos":[null,{"conferenceId":"a"}]}`, poller.Answers{Found: found("a", `{"conferenceId":"a"}`)}, true, true},
		"number element":      {`{"infos":[1]}`, poller.Answers{}, true, true},
		"list element":        {`{"infos":[[{"conferenceId":"a"}]]}`, poller.Answers{}, true, true},
		"no id":               {`{"infos":[{}]}`, poller.Answers{}, true, true},
		"no id after one":     {`{"infos":[{"conferenceId":"a"},{}]}`, poller.Answers{Found: found("a", `{"conferenceId":"a"}`)}, true, true},
		"null id":             {`{"infos":[{"conferenceId":null}]}`, poller.Answers{}, true, true},
		"empty id":            {`{"infos":[{"conferenceId":""}]}`, poller.Answers{}, true, true},
		"fractional id":       {`{"infos":[{"conferenceId":17.0}]}`, poller.Answers{}, true, true},
		"object id":           {`{"infos":[{"conferenceId":{}}]}`, poller.Answers{}, true, true},
		"twice the same":      {`{"infos":[{"conferenceId":"a"},{"conferenceId":"a"}]}`, poller.Answers{Complete: true, Found: found("a", `{"conferenceId":"a"}`)}, true, true},
		"contradiction":       {`{"infos":[{"conferenceId":"a"},{"conferenceId":17},{"conferenceId":"a","status":1},{"conferenceId":"a"}]}`, poller.Answers{Complete: true, Found: found("17", `{"conferenceId":17}`), Malformed: []string{"a"}}, true, true},
		"no list":             {`{"requestid":"x"}`, poller.Answers{}, false, true},
		"other case":          {`{"Infos":[{"conferenceId":"a"}]}`, poller.Answers{}, false, true},
		"null list":           {`{"infos":null}`, poller.Answers{}, false, true},
		"object list":         {`{"infos":{"conferenceId":"a"}}`, poller.Answers{}, false, true},
		"two lists":           {`{"infos":[{"conferenceId":"a"}],"infos":[]}`, poller.Answers{}, false, true},
		"list and null":       {`{"infos":[{"conferenceId":"a"}],"infos":null}`, poller.Answers{}, false, true},
		"array":               {`[{"infos":[]}]`, poller.Answers{}, false, false},
		"string":              {`"infos"`, poller.Answers{}, false, false},
		"empty":               {``, poller.Answers{}, false, false},
		"half":                {`{"infos":[{"conferenceId":"a"},{"confer`, poller.Answers{}, false, false},
		"half after the list": {`{"infos":[{"conferenceId":"a"}]`, poller.Answers{}, false, false},
		"more behind":         {`{"infos":[]}{}`, poller.Answers{}, false, false},
		"hanging comma":       {`{"infos":[{"conferenceId":"a"},]}`, poller.Answers{}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			body := []byte(test.body)
			got, listed, _, ok := split(body, asked, nil)
			got = undecoded(t, got, body, asked, nil)
			if listed != test.listed || ok != test.ok {
				t.Errorf("listed %v, ok %v", listed, ok)
			}
			if len(got.Found) == 0 {
				got.Found = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSplitNests(t *testing.T) {
	for _, depth := range []int{1, 9994, 9995, 9996, 9997, 9998, 9999, 10000, 10001} {
		for _, around := range []string{
			`{"infos":[{"conferenceId":"a","x":%s}]}`, `{"x":%s}`,
			`{"infos":[{"conferenceId":"a","userList":%s}]}`, `{"infos":[{"conferenceId":"a","userList":[{"micStatus":%s}]}]}`,
			`{"infos":[{"conferenceId":"a","userList":[{"nick":%s}]}]}`, `{"infos":[{"conferenceId":"a","userList":[{},{"x":%s}]}]}`,
		} {
			body := fmt.Appendf(nil, around, strings.Repeat("[", depth)+strings.Repeat("]", depth))
			if _, _, _, ok := split(body, []string{"a"}, nil); ok != json.Valid(body) {
				t.Errorf("%d deep in %s: ok %v", depth, around, ok)
			}
		}
	}
}

// TestScannerKnowsEveryByte tries each byte wherever the grammar of JSON makes
// a choice.
func TestScannerKnowsEveryByte(t *testing.T) {
	for _, frame := range []string{
		"%s", `"%s"`, `"1234567%s"`, `"\%s"`, `"\u00%s0"`, `"\%s0041"`, "%s1", "-%s", "0%s", "0%s1", "1%s", "1.%s", "1.5%s", "1.5%s1", "1e%s", "1e%s1", "1E+%s",
		"[%s]", "[1%s]", "[1%s2]", "[1,%s]", "{%s}", `{"a"%s1}`, `{"a":%s}`, `{"a":1%s}`, `{"a":1%s"b":2}`, `{"a":1,%s}`, `{"a":1}%s`,
		"tru%s", "%srue", "nul%s", "%sull", "fals%s", "%salse", "true%s", "[true%s]",
	} {
		for b := range 256 {
			body := []byte(strings.Replace(frame, "%s", string([]byte{byte(b)}), 1))
			c := newCursor(body)
			c.value()
			if c.done() != json.Valid(body) {
				t.Errorf("%q: valid %v", body, c.done())
			}
		}
	}
}

func FuzzSplit(f *testing.F) {
	body, _ := batch(2, 2)
	f.Add(string(body))
	for _, seed := range []string{
		`{"infos":[{"conferenceId":"a","n":-0.5e+10,"t":[true,false,null,"\ud800\u00e9\n"]}]}`, `{"infos":[{"conferenceId":01}]}`,
		`{"infos":null,"infos":[]}`, "{\"infos\":[{\"conferenceId\":\"a\x01bcdefgh\"}]}", `{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":tru}`, `{"\u12":1}`,
		"{\"infos\":[{\"conferenceId\":\"\xff\"}]}", `[`, `{"a" :"12345678\"", "b":"1234567\\"}`, "{\"a\":\"\x7f\u2028\"}\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body := []byte(text)
		valid := json.Valid(body)
		c := newCursor(body)
		c.value()
		if c.done() != valid {
			t.Fatalf("valid %v, the scanner says otherwise", valid)
		}
		ids := []string{"a", "17", "b", "\ufffd"}
		got, listed, _, ok := split(body, ids, nil)
		if want := valid && bytes.TrimLeft(body, " \t\r\n")[0] == '{'; ok != want {
			t.Fatalf("ok %v, want %v", ok, want)
		}
		if !ok {
			return
		}
		want, wantListed := slowSplit(t, body, ids)
		if listed != wantListed {
			t.Fatalf("listed %v, want %v", listed, wantListed)
		}
		if len(got.Found) == 0 {
			got.Found = nil
		}
		got = undecoded(t, got, body, ids, nil)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestSplitKnowsAgain reads answers in turn, each with what is known of those before.
func TestSplitKnowsAgain(t *testing.T) {
	const a1, a2 = `{"conferenceId":"a","x":1}`, `{"conferenceId":"a","x":2}`
	const b, c = `{"y":"}],","conferenceId":"\u0062","z":[{}]}`, `{"conferenceId":"z","conferenceId":"c"}`
	const unasked = `{"conferenceId":"d","x":1}`
	ids := []string{"a", "b", "c"}
	known := make([][]byte, len(ids))
	for _, step := range []struct {
		elements []string
		fresh    string // whose element has memory of its own
		want     poller.Answers
	}{
		{[]string{a1, b, c}, "abc", poller.Answers{Complete: true, Found: found("a", a1, "b", b, "c", c)}},
		{[]string{a1, b, c}, "", poller.Answers{Complete: true, Found: found("a", a1, "b", b, "c", c)}},
		{[]string{c, b, a1}, "", poller.Answers{Complete: true, Found: found("c", c, "b", b, "a", a1)}},
		{[]string{a2, b, c}, "a", poller.Answers{Complete: true, Found: found("a", a2, "b", b, "c", c)}},
		{[]string{c}, "", poller.Answers{Complete: true, Found: found("c", c)}},
		{[]string{a2, a2, b, "null", unasked}, "", poller.Answers{Unasked: 1, Found: found("a", a2, "b", b)}},
		{[]string{a2, b, a1, c}, "", poller.Answers{Complete: true, Found: found("b", b, "c", c), Malformed: []string{"a"}}},
		{[]string{a1, b, a2}, "", poller.Answers{Complete: true, Found: found("b", b), Malformed: []string{"a"}}},
	} {
		body := []byte(`{"infos":[` + strings.Join(step.elements, ",") + `]}`)
		got, listed, _, ok := split(body, ids, known)
		got = undecoded(t, got, body, ids, known)
		if diff := cmp.Diff(step.want, got); diff != "" || !listed || !ok {
			t.Fatalf("%s: listed %v, ok %v, %s", body, listed, ok, diff)
		}
		clear(body)
		fresh := ""
		for _, f := range got.Found {
			i := slices.Index(ids, f.ConferenceID)
			if &f.Raw[0] != unsafe.SliceData(known[i]) {
				fresh += f.ConferenceID
			}
			known[i] = f.Raw
		}
		if diff := cmp.Diff(step.want, got); diff != "" || fresh != step.fresh {
			t.Errorf("%s: fresh are %q; once the body is gone: %s", step.elements, fresh, diff)
		}
	}
}

// TestSplitChecksBesideWhatIsKnown breaks an answer between elements that are known.
func TestSplitChecksBesideWhatIsKnown(t *testing.T) {
	const a, b = `{"conferenceId":"a"}`, `{"conferenceId":"b"}`
	ids, known := []string{"a", "b"}, [][]byte{[]byte(a), []byte(b)}
	for _, infos := range []string{a + b, a + " " + b, a + ",," + b, a + "," + b + ",", a + "}," + b, a + ":" + b, a + "," + b + "}", "[" + a + "," + b} {
		if _, _, _, ok := split([]byte(`{"infos":[`+infos+`]}`), ids, known); ok {
			t.Errorf("%s is taken for JSON", infos)
		}
	}
	got, _, _, ok := split([]byte(`{"infos":[ `+a+" ,\n"+b+"\t] }"), ids, known)
	got = undecoded(t, got, nil, ids, known)
	if diff := cmp.Diff(found("a", a, "b", b), got.Found); diff != "" || !ok {
		t.Errorf("with space: ok %v, %s", ok, diff)
	}
}

// TestSplitForeseesTheOrder counts what a steady answer costs in memory: the
// list of what is found, and nothing for any one meeting.
func TestSplitForeseesTheOrder(t *testing.T) {
	body, ids := batch(100, 1)
	answers, _, _, _ := split(body, ids, nil)
	known := make([][]byte, len(ids))
	for i, found := range answers.Found {
		known[i] = found.Raw
	}
	if allocs := testing.AllocsPerRun(20, func() { split(body, ids, known) }); allocs > 4 {
		t.Errorf("%v allocations for 100 meetings that did not change", allocs)
	}
}

// FuzzSplitAgain changes an answer: whatever is known of it, the next one says
// the same as without.
func FuzzSplitAgain(f *testing.F) {
	body, _ := batch(2, 1)
	list := `{"infos":[{"conferenceId":"a","x":"}]"},{"x":{"y":[1]},"conferenceId":17},{"conferenceId":"z","conferenceId":"b"}]}`
	f.Add(string(body), "2", uint16(120), uint16(1))
	f.Add(list, "", uint16(0), uint16(0))
	f.Add(list, `{"conferenceId":"b"},`, uint16(10), uint16(0))
	f.Add(list, `,"conferenceId":"a"`, uint16(35), uint16(0))
	f.Add(list, `"`, uint16(33), uint16(1))
	f.Fuzz(func(t *testing.T, text, patch string, from, length uint16) {
		ids := []string{"a", "17", "b", "63c5fa2e9bbd6a2f9d000000", "\ufffd"}
		known := make([][]byte, len(ids))
		before, _, _, _ := split([]byte(text), ids, nil)
		for _, found := range before.Found {
			known[slices.Index(ids, found.ConferenceID)] = found.Raw
		}
		at := min(int(from), len(text))
		next := text[:at] + patch + text[min(at+int(length), len(text)):]
		want, wantListed, _, wantOK := split([]byte(next), ids, nil)
		want = undecoded(t, want, nil, ids, nil)
		body := []byte(next)
		got, listed, _, ok := split(body, ids, known)
		got = undecoded(t, got, body, ids, known)
		if diff := cmp.Diff(want, got); diff != "" || listed != wantListed || ok != wantOK {
			t.Fatalf("listed %v, ok %v, %s", listed, ok, diff)
		}
		for _, found := range got.Found {
			if before := known[slices.Index(ids, found.ConferenceID)]; bytes.Equal(before, found.Raw) && &before[0] != &found.Raw[0] {
				t.Fatalf("%q is the same and held twice", found.ConferenceID)
			}
		}
	})
}

// slowSplit is split by way of encoding/json.
func slowSplit(t *testing.T, body []byte, ids []string) (a poller.Answers, listed bool) {
	var list json.RawMessage
	for _, m := range slowMembers(t, body) {
		if m.key == "infos" {
			if list != nil {
				return poller.Answers{}, false
			}
			list = m.value
		}
	}
	var elements []json.RawMessage
	if len(list) == 0 || list[0] != '[' || json.Unmarshal(list, &elements) != nil {
		return poller.Answers{}, false
	}
	a.Complete = true
	seen := map[string][]string{}
	var order []string
	for _, e := range elements {
		id := ""
		if e[0] == '{' {
			for _, m := range slowMembers(t, e) {
				if m.key == "conferenceId" {
					id = slowID(m.value)
				}
			}
		}
		asked := false
		for _, one := range ids {
			asked = asked || one == id
		}
		switch {
		case id == "":
			a.Complete = false
		case !asked:
			a.Unasked++
		default:
			if seen[id] == nil {
				order = append(order, id)
			}
			seen[id] = append(seen[id], string(e))
		}
	}
	same := func(raws []string) bool {
		for _, raw := range raws {
			if raw != raws[0] {
				return false
			}
		}
		return true
	}
	for _, id := range order {
		if same(seen[id]) {
			a.Found = append(a.Found, poller.Found{ConferenceID: id, Raw: []byte(seen[id][0])})
		}
	}
	for _, id := range ids {
		if !same(seen[id]) {
			a.Malformed = append(a.Malformed, id)
		}
	}
	return a, true
}

type member struct {
	key   string
	value json.RawMessage
}

func slowMembers(t *testing.T, object []byte) (members []member) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		members = append(members, member{key.(string), value})
	}
	return members
}

func slowID(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if strings.Trim(string(raw), "0123456789") == "" {
		return string(raw)
	}
	return ""
}

func BenchmarkSplit(b *testing.B) {
	body, ids := batch(100, 20)
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if a, _, _, _ := split(body, ids, nil); len(a.Found) != 100 {
				b.Fatal("lost some")
			}
		}
	})
	b.Run("known", func(b *testing.B) {
		answers, _, _, _ := split(body, ids, nil)
		var known [][]byte
		for _, found := range answers.Found {
			known = append(known, found.Raw)
		}
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if a, _, _, _ := split(body, ids, known); len(a.Found) != 100 {
				b.Fatal("lost some")
			}
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			var a struct{ Infos []json.RawMessage }
			if err := json.Unmarshal(body, &a); err != nil {
				b.Fatal(err)
			}
			for _, info := range a.Infos {
				var m struct{ ConferenceID string }
				if err := json.Unmarshal(info, &m); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
