package poller

import (
	"errors"
	"fmt"
	"time"
)

// every ticks at the multiples of a whole number of seconds since the Unix
// epoch. The cron library counts from the start of the process instead, so
// that two replicas would never ask at the same instants.
type every time.Duration

// Next returns the first multiple after t.
func (e every) Next(t time.Time) time.Time {
	period := int64(time.Duration(e) / time.Second)
	seconds := t.Unix()
	into := seconds % period
	if into < 0 {
		into += period
	}
	return time.Unix(seconds-into+period, 0).In(t.Location())
}

func parseEvery(period string) (every, error) {
	d, err := time.ParseDuration(period)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no duration; write for example @every 15s or @every 1m30s", period)
	case d < time.Second:
		return 0, errors.New("the distance is below one second; write @every 1s or more")
	case d%time.Second != 0:
		return 0, errors.New("the distance is not in whole seconds; leave out the fraction")
	}
	return every(d), nil
}
