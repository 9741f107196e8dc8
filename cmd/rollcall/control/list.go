package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// gathering bounds how long the other workers' shares of a list are waited for.
const gathering = 2 * time.Second

// largest is the largest page of a list, in bytes, where NATS takes more.
const largest = 1 << 20

// share is what one worker knows of a tenant's meetings.
type share struct {
	List
	Shards []int `json:"shards"` // the shards that it holds
}

// list answers with the meetings of all workers.
func (e *endpoint) list(ctx context.Context, after string) reply {
	own, err := e.ownShare(ctx, after)
	if err != nil {
		return problemOf(err, e.tenant.Name, e.verb, "").reply()
	}
	if len(e.missing([]share{own})) == 0 {
		return encoded(own.List)
	}
	shares, err := e.gather(ctx, own, after)
	if err != nil {
		return problemOf(err, e.tenant.Name, e.verb, "").reply()
	}
	list := merge(shares, e.pageSize())
	list.Schema, list.Tenant = Schema, e.tenant.Name
	list.Incomplete = len(e.missing(shares)) > 0
	return encoded(list)
}

// listShare answers another worker; one that holds no shard has no share.
func (e *endpoint) listShare(ctx context.Context, after string) (answer reply, held bool) {
	own, err := e.ownShare(ctx, after)
	if err != nil || len(own.Shards) == 0 {
		return reply{}, false
	}
	return encoded(own), true
}

func (e *endpoint) ownShare(ctx context.Context, after string) (share, error) {
	ctx, cancel := context.WithTimeout(ctx, limit(verbList))
	defer cancel()
	views, shards, err := e.service.worker.List(ctx, e.tenant.Name)
	if err != nil {
		return share{}, stopCause(e.service.ctx, err)
	}
	var states []State
	for _, v := range views {
		if v.ConferenceID > after {
			states = append(states, stateOf(v))
		}
	}
	own := share{Shards: shards, List: page(states, "", e.pageSize())}
	own.Schema, own.Tenant = Schema, e.tenant.Name
	return own, nil
}

// stopCause distinguishes a stop of the service from other ends of a context.
func stopCause(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// gather adds the shares of the other workers until none is missing or the
// time is over.
func (e *endpoint) gather(ctx context.Context, own share, after string) ([]share, error) {
	ctx, cancel := context.WithTimeout(ctx, gathering)
	defer cancel()
	data, err := json.Marshal(request{After: after})
	if err != nil {
		return nil, err
	}
	shares := []share{own}
	err = e.broadcast(ctx, data, func(m *nats.Msg) bool {
		var other share
		if json.Unmarshal(m.Data, &other) == nil && other.Schema == Schema && other.Tenant == e.tenant.Name {
			shares = append(shares, other)
		}
		return len(e.missing(shares)) == 0
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return shares, nil
	}
	return shares, err
}

// missing returns the shards that none of the shares holds.
func (e *endpoint) missing(shares []share) []int {
	var missing []int
	count := e.tenant.Shards
	if e.tenant.Divided != nil {
		count = e.tenant.Divided()
	}
	for n := range count {
		if !slices.ContainsFunc(shares, func(s share) bool { return slices.Contains(s.Shards, n) }) {
			missing = append(missing, n)
		}
	}
	return missing
}

// pageSize leaves an eighth of a message for what surrounds the meetings.
func (e *endpoint) pageSize() int {
	return int(min(e.service.conn.MaxPayload()/8*7, largest))
}

// merge makes one page of the shares' pages. Beyond the end of the shortest
// page that is not a share's last, meetings may be missing: they come later.
func merge(shares []share, size int) List {
	horizon := ""
	fresh := map[string]State{}
	for _, s := range shares {
		if s.Next != "" && (horizon == "" || s.Next < horizon) {
			horizon = s.Next
		}
		for _, m := range s.Meetings {
			// A shard that changes hands may be listed twice.
			if known, twice := fresh[m.ConferenceID]; !twice || m.AskedAt.After(known.AskedAt.Time) {
				fresh[m.ConferenceID] = m
			}
		}
	}
	var states []State
	for id, m := range fresh {
		if horizon == "" || id <= horizon {
			states = append(states, m)
		}
	}
	return page(states, horizon, size)
}

// page sorts the meetings and keeps as many as fit, one at the least. Next is
// given where all of them do.
func page(states []State, next string, size int) List {
	slices.SortFunc(states, func(a, b State) int { return cmp.Compare(a.ConferenceID, b.ConferenceID) })
	used := 0
	for i := range states {
		text, err := json.Marshal(states[i])
		if used += len(text) + 1; err == nil && used > size && i > 0 {
			return List{Meetings: states[:i], Next: states[i-1].ConferenceID}
		}
	}
	return List{Meetings: append([]State{}, states...), Next: next}
}
