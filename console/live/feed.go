package live

import (
	"encoding/json"
	"fmt"
	"time"

	"rollcall"
	"rollcall/consume"
)

// keptBlindness is how many times of blindness are remembered of a tenant.
const keptBlindness = 100

// happened takes an event as it is stored.
func (b *board) happened(data []byte) {
	e, err := consume.Parse(data)
	if err != nil {
		return // the watch says so
	}
	if e.Type == rollcall.WatchLost || e.Type == rollcall.WatchResumed {
		told, err := consume.ParseWatch(data)
		if err != nil {
			return
		}
		b.add(watchItem(&told))
		b.watched(&told)
		return
	}
	if e.Known() {
		b.add(b.names.item(&e))
	}
}

func (b *board) add(i item) {
	text, err := json.Marshal(i)
	if err != nil {
		return // no value of an item can fail
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.items = append(b.items, text); len(b.items) > keptItems {
		b.items = b.items[len(b.items)-keptItems:]
	}
	if b.coming = append(b.coming, text); len(b.coming) > framedItems {
		b.coming, b.missed = b.coming[1:], b.missed+1
	}
}

// item is an event of a meeting in the feed.
func (n namer) item(e *consume.Event) item {
	key := keyOf(e.Tenant, e.ConferenceID)
	i := item{
		ID: fmt.Sprintf("%s/%d-%d", key, e.Epoch, e.Sequence), Key: key, Tenant: e.Tenant, Title: e.Meeting.Title, Type: string(e.Type),
		Seq: e.Sequence, Reason: string(e.Reason), Provenance: string(e.Provenance), After: millis(e.Window.After), Before: millis(e.Window.Before),
	}
	if e.Participant != nil {
		i.Who = n.name(e.Participant)
	}
	if e.Exact {
		i.Exact = millis(e.Time)
	}
	return i
}

func watchItem(e *rollcall.WatchEvent) item {
	return item{
		ID: fmt.Sprintf("%s/watch-%d/%d-%d", e.Tenant, e.Shard, e.Epoch, e.Sequence), Tenant: e.Tenant, Type: string(e.Type), Seq: e.Sequence,
		Reason: string(e.Reason), Provenance: string(e.Provenance), After: millis(e.Window.After), Before: millis(e.Window.Before),
		Shard: e.Shard, Shards: e.Shards,
	}
}

// watched remembers when nobody looked at a shard.
func (b *board) watched(e *rollcall.WatchEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.blind[e.Tenant]
	last := -1
	for i := range all {
		if all[i].shard == e.Shard && all[i].before.IsZero() {
			last = i
		}
	}
	told := blindness{after: e.Window.After, why: string(e.Reason), shard: e.Shard}
	if e.Type == rollcall.WatchResumed {
		told.before = e.Window.Before
	}
	if last >= 0 {
		all[last] = told
	} else {
		all = append(all, told)
	}
	b.blind[e.Tenant] = all[max(0, len(all)-keptBlindness):]
}

// watches returns why, of a time in which nobody looked at a tenant's meetings
// for a part of it; "" where somebody looked.
func (b *board) watches(tenant string, after, before time.Time) (why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, told := range b.blind[tenant] {
		if told.after.Before(before) && (told.before.IsZero() || told.before.After(after)) {
			why = told.why
		}
	}
	return why
}
