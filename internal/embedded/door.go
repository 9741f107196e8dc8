package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// door is where requests of readers go that permissions cannot judge: what they
// ask for stands in the body. The rest of the subject is that of the request.
const door = "_ROLLCALL.door."

// mostConsumers bounds those of a stream; nats-server takes 1,000, and a client
// that needs one must find room.
const mostConsumers = 800

// mostAtOnce bounds the requests that the porter deals with at a time: one that
// the ledger is slow to answer keeps no other reader waiting.
const mostAtOnce = 64

// porter looks at what comes to the door, and hands on what is in order.
type porter struct {
	conn *nats.Conn
	js   jetstream.JetStream
	busy chan struct{} // a place for each request under way
}

func openDoor(conn *nats.Conn) error {
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	p := &porter{conn, js, make(chan struct{}, mostAtOnce)}
	if _, err := conn.Subscribe(door+">", p.admit); err != nil {
		return err
	}
	return conn.Flush()
}

func (p *porter) admit(m *nats.Msg) {
	p.busy <- struct{}{}
	go func() {
		defer func() { <-p.busy }()
		p.receive(m)
	}()
}

func (p *porter) receive(m *nats.Msg) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	to := strings.TrimPrefix(m.Subject, door)
	tokens := strings.Split(strings.TrimPrefix(to, "$JS.API.CONSUMER."), ".")
	body, err := m.Data, error(nil)
	switch tokens[0] {
	case "CREATE", "DURABLE":
		stream := tokens[1]
		if tokens[0] == "DURABLE" {
			stream = tokens[2]
		}
		body, err = p.create(ctx, stream, m.Data)
	case "DELETE":
		err = p.deletes(ctx, tokens[1], tokens[2])
	}
	if err != nil {
		p.refuse(m, err)
		return
	}
	if answer, err := p.conn.RequestWithContext(ctx, to, body); err == nil {
		_ = m.Respond(answer.Data) // where that fails the server is gone
	}
}

// refuse answers as the server does.
func (p *porter) refuse(m *nats.Msg, err error) {
	answer, _ := json.Marshal(map[string]any{ // of two texts and a number
		"error": map[string]any{"code": 403, "description": err.Error()},
	})
	_ = m.Respond(answer) // where that fails the server is gone
}

// create lets a consumer be made, and not changed: whose it is nobody knows. It
// may send to inboxes alone; the server would send to any subject. How far one
// is that is not durable stays in memory: written to the disk, it would wait in
// one line with what the worker stores. What is handed on is what was looked at,
// read as the server reads it: JSON may name a member twice, in large letters too.
func (p *porter) create(ctx context.Context, stream string, data []byte) ([]byte, error) {
	var request server.CreateConsumerRequest
	if json.Unmarshal(data, &request) != nil {
		return nil, errors.New("the request to make a consumer is not valid")
	}
	config := &request.Config
	if config.DeliverSubject != "" && !strings.HasPrefix(config.DeliverSubject, nats.InboxPrefix) {
		return nil, errors.New("a reader's consumer delivers to a subject below _INBOX. alone")
	}
	if request.Action == server.ActionUpdate {
		return nil, errors.New("a reader may not change a consumer, which may be another's: make one of another name")
	}
	request.Action = server.ActionCreate
	config.MemoryStorage = config.MemoryStorage || config.Durable == ""
	info, err := p.js.Stream(ctx, stream)
	if err == nil && info.CachedInfo().State.Consumers >= mostConsumers {
		return nil, fmt.Errorf("stream %s has %d consumers, and readers may make no more: delete those that nobody uses", stream, mostConsumers)
	}
	return json.Marshal(request)
}

// deletes allows the deletion of a consumer that would expire anyway. A durable
// one may belong to somebody who is away.
func (p *porter) deletes(ctx context.Context, stream, name string) error {
	consumer, err := p.js.Consumer(ctx, stream, name)
	if err == nil && consumer.CachedInfo().Config.Durable != "" {
		return errors.New("a reader may not delete a durable consumer, which may be another's")
	}
	return nil // the server reports what is not there
}
