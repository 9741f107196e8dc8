package target

import "time"

// Kind is a service that can be told, and all that differs between services
// for those who send and for those who configure.
type Kind struct {
	// Name is the kind's in the configuration: "dingtalk".
	Name string
	// Title is what people call it: "DingTalk robot".
	Title string
	Limit Limit
	// Markup returns how a message is written: a digest may be written in
	// another markup than single changes. Nil: it takes events, not messages.
	Markup func(digest bool) Markup
	// Idempotent: the service shows messages with the same ID once.
	Idempotent bool
	// Schedule says how long after the one before each attempt for the same message
	// is made, the first at once; after the last the message cannot be delivered.
	// Nil: no schedule is documented.
	Schedule []time.Duration
	// Signs: it signs with Options.Secret; Keywords: it adds Options.Keyword. A kind
	// that does not is configured with none.
	Signs, Keywords bool
	// New makes a target; its errors say what is wrong with the options, and the fix.
	// Of an address they know what tells that it was copied whole, not the host:
	// relays have others.
	New func(Options) (Target, error)
}

// Limit is what the service takes.
type Limit struct {
	// Rates are the service's, and hold together: whoever sends stays below.
	Rates []Rate
	// Silence is the pause after a throttle that names no time.
	Silence time.Duration
	// MaxSize is how large a message may be, in Unit.
	MaxSize int
	Unit    Unit
}

// Rate is so many messages in any window of time.
type Rate struct {
	Messages int
	Window   time.Duration
}

// Unit is what a size is counted in.
type Unit string

// The units.
const (
	Bytes Unit = "bytes"
	Runes Unit = "runes"
)

// Kinds returns the table of all kinds, in the order in which they are documented.
func Kinds() []Kind {
	return []Kind{dingTalk(), feishu(), weCom(), slack(), teams(), webhook()}
}

// KindOf returns the kind of that name.
func KindOf(name string) (Kind, bool) {
	for _, kind := range Kinds() {
		if kind.Name == name {
			return kind, true
		}
	}
	return Kind{}, false
}
