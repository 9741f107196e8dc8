package live

import (
	"encoding/json"
	"time"
)

// Book is how a tenant's month stands, and who works for it.
type Book struct {
	Tenant string `json:"tenant"`
	// Unlimited says that calls are not counted; otherwise Limit 0 means that
	// nothing is known.
	Unlimited bool  `json:"unlimited"`
	Limit     int64 `json:"limit"` // calls of the month
	Spent     int64 `json:"spent"` // that workers have reported
	Reserved  int64 `json:"reserved"`
	Left      int64 `json:"left"`
	From      int64 `json:"from"` // when the month began and ends, Unix ms
	Until     int64 `json:"until"`
	// Workers are those that hold a shard of the tenant.
	Workers []Worker `json:"workers"`
	Shards  int      `json:"shards"` // of the tenant; 0: not known
}

// Worker is one that asks about a tenant's meetings.
type Worker struct {
	ID     string `json:"id"`
	Shards []int  `json:"shards"`
}

// Target is one whom the forwarder tells.
type Target struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`     // of its service
	Sent     int    `json:"sent"`     // messages of the month
	Monthly  int    `json:"monthly"`  // that may be sent; -1: any number
	Waiting  int    `json:"waiting"`  // events that it has not been told
	Oldest   int64  `json:"oldest"`   // of those, Unix ms; 0: none waits
	LastSent int64  `json:"lastSent"` // Unix ms; 0: never
	// Trouble is why it cannot be told, as a class, Reason in words, and Since
	// from when on, Unix ms; "" while it can.
	Trouble string `json:"trouble,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Since   int64  `json:"since,omitempty"`
}

// frame is what changed within a second; the first one that a page gets is
// whole. Times are Unix ms, 0 where there is none.
type frame struct {
	Version string            `json:"version,omitempty"` // of the program's assets; only where whole
	Now     int64             `json:"now"`
	Link    link              `json:"link"`
	Rows    []json.RawMessage `json:"rows,omitempty"`    // of type row
	Gone    []string          `json:"gone,omitempty"`    // keys of rows
	Tenants json.RawMessage   `json:"tenants,omitempty"` // all of them, where one has changed
	Events  []json.RawMessage `json:"events,omitempty"`  // of type item, oldest first
	Missed  int               `json:"missed,omitempty"`  // events that were too many to be shown
}

// link is how the page's process does.
type link struct {
	OK     bool   `json:"ok"`              // NATS answers
	Since  int64  `json:"since,omitempty"` // where not OK: from when on it has not
	Synced bool   `json:"synced"`          // everything stored was read
	Why    string `json:"why,omitempty"`   // what went wrong lately, and is being tried again

	trouble time.Time // when it did
}

// row is a meeting in the overview.
type row struct {
	Key     string            `json:"key"` // tenant/token of the id
	Tenant  string            `json:"tenant"`
	Title   string            `json:"title"`
	Status  string            `json:"status"`
	Start   int64             `json:"start,omitempty"`
	End     int64             `json:"end,omitempty"` // only of one that is over
	First   int64             `json:"first"`         // when it was first recorded
	Seq     uint64            `json:"seq"`
	Seen    int64             `json:"seen"` // it was like this then at least
	Present int               `json:"present"`
	Invited int               `json:"invited"` // those present among them
	Mics    int               `json:"mics"`
	Cameras int               `json:"cameras"`
	Over    bool              `json:"over,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	People  []person          `json:"people,omitempty"`
}

// person is somebody in a row.
type person struct {
	Name   string `json:"n"`
	Here   string `json:"a"`           // present, joining, invited
	Mic    bool   `json:"m,omitempty"` // open
	Camera bool   `json:"c,omitempty"`
}

// tenant is one in the strip.
type tenant struct {
	Name     string `json:"name"`
	Why      string `json:"why"` // ok, throttled, quota …; silent, unknown
	Blind    bool   `json:"blind"`
	Since    int64  `json:"since,omitempty"`    // where Blind
	Known    int64  `json:"known"`              // what is shown of its meetings was so then at least; 0: never
	LastPass int64  `json:"lastPass,omitempty"` // when the last pass was over
	Pace     int64  `json:"pace"`               // ms between two passes
	Promise  int64  `json:"promise"`            // ms; what is older is shown as old
	Tracked  int    `json:"tracked"`
	Book     *Book  `json:"book,omitempty"`
}

// item is an event in the feed.
type item struct {
	ID         string `json:"id"` // key/epoch-sequence
	Key        string `json:"key,omitempty"`
	Tenant     string `json:"tenant"`
	Title      string `json:"title,omitempty"`
	Type       string `json:"type"`
	Who        string `json:"who,omitempty"`
	Seq        uint64 `json:"seq"`
	Reason     string `json:"reason,omitempty"`
	Provenance string `json:"provenance"`
	After      int64  `json:"after,omitempty"`
	Before     int64  `json:"before"`
	Exact      int64  `json:"exact,omitempty"` // DingTalk's own time
	Shard      int    `json:"shard,omitempty"` // of watch events
	Shards     int    `json:"shards,omitempty"`
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
