package control

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"rollcall/wire"
)

// queue is the group in which workers share requests, as every micro service's is named.
const queue = micro.DefaultQueueGroup

// presence is the service in NATS's discovery. It answers what package micro
// would, whose own answers go wherever a request says.
type presence struct {
	id      string
	version string // as it was built
	stream  string
	started time.Time
}

func newPresence(names wire.Names, version string) presence {
	return presence{id: rand.Text(), version: version, stream: names.Stream, started: time.Now().UTC()}
}

var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// identity has a semantic version, as discovery wants one; any other version
// stands in the metadata alone.
func (p *presence) identity() micro.ServiceIdentity {
	version := strings.TrimPrefix(p.version, "v")
	if !semantic.MatchString(version) {
		version = "0.0.0"
	}
	return micro.ServiceIdentity{
		Name: ServiceName, ID: p.id, Version: version,
		Metadata: map[string]string{"stream": p.stream, "version": p.version},
	}
}

// present answers NATS's verbs for services.
func (s *Service) present() error {
	for verb, tell := range map[micro.Verb]func() any{
		micro.PingVerb:  func() any { return micro.Ping{ServiceIdentity: s.presence.identity(), Type: micro.PingResponseType} },
		micro.InfoVerb:  func() any { return s.info() },
		micro.StatsVerb: func() any { return s.stats() },
	} {
		for _, of := range [][2]string{{}, {ServiceName}, {ServiceName, s.presence.id}} {
			name, err := micro.ControlSubject(verb, of[0], of[1])
			if err == nil {
				err = s.subscribe("", name, "", func(m *nats.Msg) { s.send(m, encoded(tell())) })
			}
			if err != nil {
				return fmt.Errorf("enter NATS's discovery: %w", err)
			}
		}
	}
	return nil
}

func (s *Service) info() micro.Info {
	info := micro.Info{
		ServiceIdentity: s.presence.identity(), Type: micro.InfoResponseType,
		Description: "tracks DingTalk meetings at run time, and tells what is known of them",
		Endpoints:   []micro.EndpointInfo{},
	}
	for _, e := range s.asked() {
		info.Endpoints = append(info.Endpoints, micro.EndpointInfo{
			Name: e.name(), Subject: s.names.API(e.tenant.Name, e.verb), QueueGroup: queue,
			Metadata: map[string]string{"tenant": e.tenant.Name, "verb": e.verb},
		})
	}
	return info
}

func (s *Service) stats() micro.Stats {
	stats := micro.Stats{
		ServiceIdentity: s.presence.identity(), Type: micro.StatsResponseType, Started: s.presence.started,
		Endpoints: []*micro.EndpointStats{},
	}
	for _, e := range s.asked() {
		told := e.tally.stats()
		told.Name, told.Subject, told.QueueGroup = e.name(), s.names.API(e.tenant.Name, e.verb), queue
		stats.Endpoints = append(stats.Endpoints, &told)
	}
	return stats
}

// tally counts what became of the requests to one endpoint.
type tally struct {
	mu    sync.Mutex // guards count
	count micro.EndpointStats
}

func (t *tally) note(begun time.Time, answer reply) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count.NumRequests++
	t.count.ProcessingTime += time.Since(begun)
	t.count.AverageProcessingTime = t.count.ProcessingTime / time.Duration(t.count.NumRequests)
	if code := answer.header.Get(micro.ErrorCodeHeader); code != "" {
		t.count.NumErrors++
		t.count.LastError = code + ":" + answer.header.Get(micro.ErrorHeader)
	}
}

func (t *tally) stats() micro.EndpointStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}
