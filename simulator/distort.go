package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
)

// The faults that are whole answers of the batch query which say odd things.
// Other operations pass them by, except FaultStrings.
const (
	FaultStrings = "strings" // numbers arrive as strings
	FaultNulls   = "nulls"   // title, startTime, mediaStatus and userList are null
	FaultAbsent  = "absent"  // title, startTime, mediaStatus and userList are left out
	FaultCodes   = "codes"   // status, and every number of a person, is 9
	FaultForeign = "foreign" // one meeting more that nobody asked about
	FaultTwice   = "twice"   // the first meeting once more, saying something else
)

// distortions says what each of these faults makes of an answer.
func distortions() map[string]func(answer map[string]any) {
	return map[string]func(map[string]any){
		FaultStrings: func(answer map[string]any) { spell(answer) },
		FaultNulls:   eachInfo(func(info map[string]any) { overwrite(info, nil, optional()) }),
		FaultAbsent: eachInfo(func(info map[string]any) {
			maps.DeleteFunc(info, func(name string, _ any) bool { return optional()[name] })
		}),
		FaultCodes:   eachInfo(unknownCodes),
		FaultForeign: oneMore(map[string]any{"conferenceId": "nobody-asked-about-this"}),
		FaultTwice:   oneMore(map[string]any{"title": "contradiction", "status": 2, "userList": []any{}}),
	}
}

// optional are the fields that a documented example leaves out, or may.
func optional() map[string]bool {
	return map[string]bool{"title": true, "startTime": true, "mediaStatus": true, "userList": true}
}

// distort returns the changed bytes of an answer; what is no JSON object stays.
func distort(pieces [][]byte, change func(map[string]any)) [][]byte {
	dec := json.NewDecoder(bytes.NewReader(bytes.Join(pieces, nil)))
	dec.UseNumber()
	var answer map[string]any
	if dec.Decode(&answer) != nil {
		return pieces
	}
	change(answer)
	return [][]byte{encode(answer)}
}

func eachInfo(change func(map[string]any)) func(map[string]any) {
	return func(answer map[string]any) {
		infos, _ := answer["infos"].([]any)
		for _, info := range infos {
			change(info.(map[string]any))
		}
	}
}

func oneMore(differences map[string]any) func(map[string]any) {
	return func(answer map[string]any) {
		infos, _ := answer["infos"].([]any)
		if len(infos) == 0 {
			return
		}
		extra := maps.Clone(infos[0].(map[string]any))
		maps.Copy(extra, differences)
		answer["infos"] = append(infos, extra)
	}
}

func unknownCodes(info map[string]any) {
	info["status"] = 9
	for _, user := range info["userList"].([]any) {
		user := user.(map[string]any)
		for name, value := range user {
			if _, isNumber := value.(json.Number); isNumber {
				user[name] = 9
			}
		}
	}
}

func overwrite(object map[string]any, value any, fields map[string]bool) {
	for name := range fields {
		object[name] = value
	}
}

// spell turns the numbers below a value into strings.
func spell(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case map[string]any:
		for name := range v {
			v[name] = spell(v[name])
		}
	case []any:
		for i := range v {
			v[i] = spell(v[i])
		}
	}
	return value
}
