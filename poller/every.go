package poller

import (
	"errors"
	"fmt"
	"hash/fnv"
	"time"
)

// every ticks at the multiples of a whole number of seconds since the Unix
// epoch, shifted by a phase. The cron library counts from the start of the process
// instead, so that two replicas would never ask at the same instants.
type every struct {
	period, phase time.Duration // the phase is shorter than the period
}

// Next returns the first tick after t.
func (e every) Next(t time.Time) time.Time {
	period := int64(e.period / time.Second)
	seconds := t.Add(-e.phase).Unix()
	into := seconds % period
	if into < 0 {
		into += period
	}
	return time.Unix(seconds-into+period, 0).Add(e.phase).In(t.Location())
}

// of is the schedule with a phase that the name decides: ever the same, in milliseconds.
func (e every) of(name string) every {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	e.phase = time.Duration(h.Sum64()%uint64(e.period/time.Millisecond)) * time.Millisecond
	return e
}

func parseEvery(period string) (every, error) {
	d, err := time.ParseDuration(period)
	switch {
	case err != nil:
		return every{}, fmt.Errorf("%q is no duration; write for example @every 15s or @every 1m30s", period)
	case d < time.Second:
		return every{}, errors.New("the distance is below one second; write @every 1s or more")
	case d%time.Second != 0:
		return every{}, errors.New("the distance is not in whole seconds; leave out the fraction")
	}
	return every{period: d}, nil
}
