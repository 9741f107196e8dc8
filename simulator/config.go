package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// EndStyle says how a meeting that is over answers the batch query. DingTalk
// does not document which of the three it is.
type EndStyle string

// The styles of an end.
const (
	EndStatus         EndStyle = "status"          // an entry with status 1
	EndOmitted        EndStyle = "omitted"         // no entry in infos
	EndResourceClosed EndStyle = "resource_closed" // 400 resourceClose for the whole batch
)

// Gone says whether people who declined, failed, left or were kicked out stay
// in a meeting's userList.
type Gone string

// What becomes of the gone.
const (
	GoneMixed   Gone = "mixed"   // some stay listed, some are dropped
	GoneListed  Gone = "listed"  // all stay listed with 4, 5 or 6
	GoneDropped Gone = "dropped" // none stays listed
)

// The credentials that are accepted where [Config] names no others.
const (
	DefaultAppKey      = "dingsimulator"
	DefaultAppSecret   = "simulator-app-secret"
	DefaultCorpID      = "dingcorpsimulator"
	DefaultSuiteKey    = "suitesimulator"
	DefaultSuiteSecret = "simulator-suite-secret"
	DefaultSuiteTicket = "simulator-suite-ticket"
)

// Config describes a world and the API that shows it. The zero value works: it
// is a small world in which nothing happens on its own.
type Config struct {
	Seed     uint64  // the same seed and the same instants yield the same facts and bytes
	Meetings int     // at the start; 0: 3, negative: none
	People   int     // people who have to do with a meeting, about; 0: 8, at most 250
	Rate     float64 // facts a second over all meetings; 0: nothing happens on its own
	Empty    bool    // meetings begin with status 0 and nobody listed, not in full swing

	Lifetime time.Duration // about how long a meeting lives before a new one takes its place; 0: forever
	EndStyle EndStyle      // "": EndStatus
	Gone     Gone          // "": GoneMixed
	Hostile  bool          // ids, names and titles full of markup, controls and traps

	AppKey, AppSecret                  string        // internal and unified token flow
	CorpID                             string        // corp and unified token flow
	SuiteKey, SuiteSecret, SuiteTicket string        // corp token flow
	TokenLife                          time.Duration // 0: 7200 s
	MaxBatch                           int           // ids of a batch query beyond which it answers paramsError; 0: no limit
	MaxInfos                           int           // meetings of a batch answer; others are left out without a word; 0: no limit
	HideUnstarted                      bool          // a batch answer leaves out meetings that have not started
	QPS                                int           // metered calls a second beyond which they are throttled; 0: no limit
	Latency                            time.Duration // of each answer; its state is that of half-time
	ShuffleInfos                       bool          // infos come in another order at each answer

	Keep int              // facts, answers and ended meetings that are remembered, at least; 0: all
	Now  func() time.Time // nil: time.Now
}

func (c Config) complete() (Config, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	c.Meetings = max(orInt(c.Meetings, 3), 0)
	c.People = orInt(c.People, 8)
	c.EndStyle = orText(c.EndStyle, EndStatus)
	c.Gone = orText(c.Gone, GoneMixed)
	c.AppKey = orText(c.AppKey, DefaultAppKey)
	c.AppSecret = orText(c.AppSecret, DefaultAppSecret)
	c.CorpID = orText(c.CorpID, DefaultCorpID)
	c.SuiteKey = orText(c.SuiteKey, DefaultSuiteKey)
	c.SuiteSecret = orText(c.SuiteSecret, DefaultSuiteSecret)
	c.SuiteTicket = orText(c.SuiteTicket, DefaultSuiteTicket)
	if c.TokenLife == 0 {
		c.TokenLife = 7200 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

func (c Config) check() error {
	if !(c.Rate >= 0 && c.Rate <= 1e6) {
		return fmt.Errorf("rate is %v: a number from 0 to 1000000 is allowed", c.Rate)
	}
	for name, n := range map[string]int{
		"people": c.People, "max batch": c.MaxBatch, "max infos": c.MaxInfos, "qps": c.QPS, "keep": c.Keep,
		"lifetime": int(c.Lifetime), "token life": int(c.TokenLife), "latency": int(c.Latency),
	} {
		if n < 0 {
			return fmt.Errorf("%s is negative: 0 or more is allowed", name)
		}
	}
	if c.People > maxListed/2 {
		return fmt.Errorf("people is %d: at most %d is allowed", c.People, maxListed/2)
	}
	if err := oneOf("end style", c.EndStyle, endStyles()); err != nil {
		return err
	}
	return oneOf("gone", c.Gone, []Gone{GoneMixed, GoneListed, GoneDropped})
}

func endStyles() []EndStyle { return []EndStyle{EndStatus, EndOmitted, EndResourceClosed} }

// oneOf accepts the empty word, which stands for the default.
func oneOf[T ~string](name string, word T, allowed []T) error {
	if word == "" || slices.Contains(allowed, word) {
		return nil
	}
	return fmt.Errorf("%s is %q: %s is allowed", name, word, list(allowed))
}

func list[T ~string](words []T) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

func orInt(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func orText[T ~string](word, otherwise T) T {
	if word == "" {
		return otherwise
	}
	return word
}
