package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rollcall"
	"rollcall/cmd/rollcall/control"
	"rollcall/internal/natstest"
	"rollcall/wire"
	"rollcall/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func names() wire.Names { return wire.Names{Stream: "MEETINGS", Prefix: "meetings"} }

// fake is a worker that holds what it is told to hold.
type fake struct {
	mu       sync.Mutex
	tracked  map[string]time.Time
	labels   map[string]rollcall.Labels
	orders   []string
	shards   []int                // that it holds; nil: none
	holds    func(id string) bool // nil: all
	err      error                // of every order
	block    string               // orders of this verb wait until their context ends
	deaf     chan struct{}        // every order waits until it is closed, whatever its context says
	view     func(worker.View) worker.View
	trackErr error // of track, beside a view
	traces   int   // of a user
}

func newFake() *fake {
	return &fake{tracked: map[string]time.Time{}, labels: map[string]rollcall.Labels{}, shards: []int{0}}
}

// set changes how the worker behaves from now on.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) order(ctx context.Context, verb, id string) error {
	f.mu.Lock()
	f.orders = append(f.orders, verb+" "+id)
	deaf, block, err, holds := f.deaf, f.block, f.err, f.holds
	f.mu.Unlock()
	if deaf != nil {
		<-deaf
	}
	if block == verb {
		<-ctx.Done()
		return fmt.Errorf("wait for the shard's turn: %w", context.Cause(ctx))
	}
	if err == nil && holds != nil && !holds(id) {
		err = fmt.Errorf("%s: %w", verb, worker.ErrNotHeld)
	}
	return err
}

func (f *fake) stateOf(id string) worker.View {
	since, tracked := f.tracked[id]
	v := worker.View{ConferenceID: id, Tracked: tracked, Source: "api", Since: since, Labels: f.labels[id], Record: &rollcall.Record{
		Sequence: 1, Meeting: rollcall.Conference{Title: "Meeting " + id, Status: rollcall.StatusStarted, Present: 1},
		Roster: []rollcall.Participant{{Key: "u1", Nick: "Ada", Attendance: rollcall.AttendancePresent}},
	}}
	if f.view != nil {
		v = f.view(v)
	}
	return v
}

func (f *fake) TrackAs(ctx context.Context, _, id, source string, labels rollcall.Labels) (worker.View, error) {
	err := f.order(ctx, "track", id)
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, worker.ErrNotHeld) || errors.Is(err, worker.ErrNoTenant) {
		return worker.View{}, err
	}
	f.tracked[id] = time.Now()
	if labels != nil {
		f.labels[id] = labels
	}
	if err != nil {
		return worker.View{}, err
	}
	return f.stateOf(id), f.trackErr
}

func (f *fake) Untrack(ctx context.Context, _, id string) (worker.View, error) {
	if err := f.order(ctx, "untrack", id); err != nil {
		return worker.View{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.tracked[id]; !ok {
		return worker.View{}, fmt.Errorf("untrack meeting: %w", worker.ErrNotTracked)
	}
	delete(f.tracked, id)
	return f.stateOf(id), nil
}

func (f *fake) Show(ctx context.Context, _, id string) (worker.View, error) {
	if err := f.order(ctx, "show", id); err != nil {
		return worker.View{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.tracked[id]; !ok {
		return worker.View{}, fmt.Errorf("show meeting: %w", worker.ErrNotTracked)
	}
	return f.stateOf(id), nil
}

func (f *fake) List(ctx context.Context, _ string) ([]worker.View, []int, error) {
	if err := f.order(ctx, "list", ""); err != nil && !errors.Is(err, worker.ErrNotHeld) {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var views []worker.View
	for id := range f.tracked {
		views = append(views, f.stateOf(id))
	}
	return views, f.shards, nil
}

func (f *fake) Found(ctx context.Context, _, source string, listed, gone []string, restarted bool) error {
	return f.order(ctx, "found", fmt.Sprintf("%s +%d -%d %v", source, len(listed), len(gone), restarted))
}

func (f *fake) Busy(string) (int, bool) { return len(f.shards), true }

func (f *fake) count(order string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, o := range f.orders {
		if o == order {
			n++
		}
	}
	return n
}

func serve(t *testing.T, s *natstest.Server, w control.Worker, tenants ...control.Tenant) *control.Service {
	t.Helper()
	if len(tenants) == 0 {
		tenants = []control.Tenant{{Name: "acme"}}
	}
	conn := s.Connect(t)
	service, err := control.Serve(conn, names(), tenants, w, "v1.2.3", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Stop)
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return service
}

func client(t *testing.T, s *natstest.Server) *control.Client {
	t.Helper()
	return &control.Client{Conn: s.Connect(t), Names: names(), Tenant: "acme", Timeout: time.Minute}
}

func codeOf(err error) control.Code {
	if e, ok := errors.AsType[*control.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestOrdersFromTrackToUntrack(t *testing.T) {
	s := natstest.Start(t)
	serve(t, s, newFake())
	c, ctx := client(t, s), t.Context()
	for _, id := range []string{"c1", "weird.*.> id", "会议\x00\x1b[2J"} {
		got, err := c.Track(ctx, id)
		if err != nil || !got.Tracked || got.ConferenceID != id || got.Tenant != "acme" || got.Source != "api" || got.Since.IsZero() {
			t.Fatalf("track %q: %+v, %v", id, got, err)
		}
		if got.Record.Meeting.Title != "Meeting "+id || got.Record.Roster[0].Nick != "Ada" {
			t.Errorf("track %q: %+v", id, got.Record)
		}
		if got, err = c.Show(ctx, id); err != nil || got.Record.Roster[0].Attendance != "present" {
			t.Errorf("show %q: %+v, %v", id, got, err)
		}
	}
	list, err := c.List(ctx)
	if err != nil || len(list.Meetings) != 3 || list.Incomplete || list.Meetings[0].ConferenceID != "c1" || list.Meetings[0].Record.Roster != nil {
		t.Errorf("list: %+v, %v", list, err)
	}
	if got, err := c.Untrack(ctx, "c1"); err != nil || got.Tracked {
		t.Errorf("untrack: %+v, %v", got, err)
	}
	_, err = c.Untrack(ctx, "c1")
	if codeOf(err) != control.NotTracked || !strings.Contains(err.Error(), "c1") {
		t.Errorf("untrack again: %v", err)
	}
}

func TestErrorsOfTheWorkerHaveCodes(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	serve(t, s, f)
	c := client(t, s)
	for _, one := range []struct {
		err  error
		code control.Code
		want string
	}{
		{worker.ErrBadID, control.BadRequest, "1 to 256 bytes"},
		{fmt.Errorf("%w: acme", worker.ErrNoTenant), control.NoSuchTenant, "configuration"},
		{fmt.Errorf("show meeting: %w", worker.ErrNotTracked), control.NotTracked, "check the id"},
		{errors.New("disk \x1b[2J full"), control.Unavailable, `disk \x1b[2J full: ask again`},
	} {
		f.set(func() { f.err = one.err })
		_, err := c.Show(t.Context(), "c1")
		if codeOf(err) != one.code || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%v: %v (%s)", one.err, err, codeOf(err))
		}
	}
}

func TestTrackSaysWhyNothingIsKnown(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	serve(t, s, f)
	c := client(t, s)
	f.set(func() {
		f.trackErr = fmt.Errorf("%w: throttled", worker.ErrNotAnswered)
		f.view = func(v worker.View) worker.View { v.Trouble = "throttled"; return v }
	})
	_, err := c.Track(t.Context(), "c1")
	if codeOf(err) != control.NotAnswered || !strings.Contains(err.Error(), "throttled") || !strings.Contains(err.Error(), "stays tracked") {
		t.Errorf("not answered: %v", err)
	}
	for said, err := range map[string]error{
		"not stored, as the worker waits: NATS does not answer": fmt.Errorf("%w: %w", worker.ErrNotAnswered, worker.ErrNotStored),
		"track meeting c1: the worker was not done in time":     fmt.Errorf("track meeting: %w", worker.ErrNotStored),
	} {
		f.set(func() { f.trackErr = err })
		_, err := c.Track(t.Context(), "c1")
		if codeOf(err) != control.Unavailable || !strings.Contains(err.Error(), said) || strings.Contains(err.Error(), "DingTalk told nothing") {
			t.Errorf("where NATS does not answer: %v", err)
		}
	}
	f.set(func() {
		f.trackErr = nil
		f.view = func(v worker.View) worker.View { v.Record = &rollcall.Record{Misses: 1}; return v }
	})
	_, err = c.Track(t.Context(), "c1")
	if codeOf(err) != control.NotAnswered || !strings.Contains(err.Error(), "does not know") || !strings.Contains(err.Error(), "stays tracked") {
		t.Errorf("unknown: %v", err)
	}
	if got, err := c.Show(t.Context(), "c1"); err != nil || got.Record != nil || !strings.Contains(got.Trouble, "does not know") {
		t.Errorf("show of what is unknown: %+v, %v", got, err)
	}
}

// A server that hangs keeps what the others pass on to it.
func TestARequestThatIsLostIsAskedAgain(t *testing.T) {
	s := natstest.Start(t)
	asked := 0
	conn := s.Connect(t)
	_, err := conn.Subscribe(names().API("acme", "list"), func(m *nats.Msg) {
		if asked++; asked == 1 {
			return
		}
		if err := m.Respond([]byte(`{"schema":1,"tenant":"acme","meetings":[{"conferenceId":"c1"}]}`)); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client(t, s).List(t.Context()); err != nil || len(got.Meetings) != 1 {
		t.Errorf("the second request is answered with %+v, %v", got, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	s := natstest.Start(t)
	c := client(t, s)
	_, err := c.Track(t.Context(), "c1")
	if !errors.Is(err, control.ErrNoWorker) || !strings.Contains(err.Error(), "rollcall.MEETINGS.api.acme.track") || !strings.Contains(err.Error(), "rollcall run") {
		t.Errorf("no worker: %v", err)
	}
	silent := s.Connect(t)
	if _, err := silent.Subscribe(names().API("acme", ">"), func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := silent.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Timeout = 50 * time.Millisecond
	if _, err := c.List(t.Context()); !errors.Is(err, control.ErrNoWorker) || !strings.Contains(err.Error(), "in time") {
		t.Errorf("a silent worker: %v", err)
	}
	if _, err := c.Show(t.Context(), strings.Repeat("x", 257)); codeOf(err) != control.BadRequest {
		t.Errorf("an id that is too long: %v", err)
	}
}

func TestMissingPermissionIsSaidAtOnce(t *testing.T) {
	s := natstest.StartWith(t, server.Options{Users: []*server.User{
		{Username: "w", Password: "w"},
		{Username: "r", Password: "r", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{"rollcall.MEETINGS.api.other.>"}},
		}},
	}})
	c := &control.Client{Conn: s.Connect(t, nats.UserInfo("r", "r")), Names: names(), Tenant: "acme", Timeout: time.Hour}
	_, err := c.Track(t.Context(), "c1")
	if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), "rollcall.MEETINGS.api.acme.track") {
		t.Errorf("without permission: %v", err)
	}
	// What was refused earlier says nothing of another subject.
	c.Tenant = "other"
	if _, err = c.Track(t.Context(), "c1"); !errors.Is(err, control.ErrNoWorker) {
		t.Errorf("with permission: %v", err)
	}
}

func TestForeignAnswersAreRefused(t *testing.T) {
	s := natstest.Start(t)
	conn, c := s.Connect(t), client(t, s)
	var answer nats.Msg
	if _, err := conn.Subscribe(names().API("acme", ">"), func(m *nats.Msg) {
		_ = m.RespondMsg(&nats.Msg{Data: answer.Data, Header: answer.Header})
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		data, want string
		header     nats.Header
	}{
		{`{"schema":2,"tenant":"acme"}`, "upgrade", nil},
		{`hello`, "read the answer", nil},
		{`{}`, "none of rollcall's", nil},
		{`{"schema":1,"tracked":"perhaps"}`, "read the answer", nil},
		{``, "too \\x1b bad", nats.Header{micro.ErrorCodeHeader: {"500"}, micro.ErrorHeader: {"too \x1b bad"}}},
		{`{"schema":1,"error":{"code":"not_held","message":"so\u001b it is"}}`, `so\x1b it is`, nil},
	} {
		answer = nats.Msg{Data: []byte(one.data), Header: one.header}
		if _, err := c.Show(t.Context(), "c1"); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: %v, want %q", one.data, err, one.want)
		}
	}
	answer = nats.Msg{Data: []byte(`{"schema":1,"meetings":[],"next":"same"}`)}
	if _, err := c.List(t.Context()); err == nil || !strings.Contains(err.Error(), "same page") {
		t.Errorf("pages without end: %v", err)
	}
}

// raw sends a request as any NATS client would.
func raw(t *testing.T, conn *nats.Conn, verb, data string) *nats.Msg {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, err := conn.RequestWithContext(ctx, names().API("acme", verb), []byte(data))
	if err != nil {
		t.Fatalf("%s %s: %v", verb, data, err)
	}
	return m
}

func TestTheContractOnTheWire(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	serve(t, s, f)
	conn := s.Connect(t)
	m := raw(t, conn, "track", `{"conferenceId":"c1"}`)
	if m.Header.Get(micro.ErrorCodeHeader) != "" || !strings.HasPrefix(string(m.Data), `{"schema":1,"tenant":"acme","conferenceId":"c1","tracked":true,`) {
		t.Errorf("track: %v %s", m.Header, m.Data)
	}
	for verb, data := range map[string]string{
		"track": "garbage", "show": `{"conferenceId":"c1","x":1}`, "untrack": strings.Repeat(" ", 5000), "list": `{"all":"x"}`,
	} {
		m := raw(t, conn, verb, data)
		var body struct {
			Schema int
			Error  control.Error
		}
		if err := json.Unmarshal(m.Data, &body); err != nil {
			t.Fatal(err)
		}
		if m.Header.Get(micro.ErrorCodeHeader) != "400" || body.Schema != 1 || body.Error.Code != control.BadRequest || body.Error.Message != m.Header.Get(micro.ErrorHeader) {
			t.Errorf("%s: %v %s", verb, m.Header, m.Data)
		}
	}
	f.set(func() {
		if len(f.orders) != 1 {
			t.Errorf("the worker got %v", f.orders)
		}
	})
	m = raw(t, conn, "show", `{"conferenceId":"c2"}`)
	if m.Header.Get(micro.ErrorCodeHeader) != "404" || !strings.HasPrefix(string(m.Data), `{"schema":1,"error":{"code":"not_tracked","message":"`) {
		t.Errorf("show: %v %s", m.Header, m.Data)
	}
}

func TestARequestWithoutReplyIsDone(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	serve(t, s, f)
	conn := s.Connect(t)
	if err := conn.Publish(names().API("acme", "track"), []byte(`{"conferenceId":"c1"}`)); err != nil {
		t.Fatal(err)
	}
	await(t, "the order", func() bool { return f.count("track c1") == 1 })
}

// await waits until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestRequestsInHandAreBounded(t *testing.T) {
	s := natstest.Start(t)
	f := newFake()
	f.block = "track"
	service := serve(t, s, f)
	conn := s.Connect(t)
	answers := make(chan *nats.Msg, 200)
	inbox := conn.NewInbox()
	if _, err := conn.ChanSubscribe(inbox, answers); err != nil {
		t.Fatal(err)
	}
	for range 70 {
		if err := conn.PublishRequest(names().API("acme", "track"), inbox, []byte(`{"conferenceId":"c1"}`)); err != nil {
			t.Fatal(err)
		}
	}
	for range 6 {
		if m := <-answers; m.Header.Get(micro.ErrorCodeHeader) != "503" || !strings.Contains(string(m.Data), "in hand already") {
			t.Errorf("a request too many: %v %s", m.Header, m.Data)
		}
	}
	// Another verb is not held up.
	if m := raw(t, conn, "list", ""); m.Header.Get(micro.ErrorCodeHeader) != "" {
		t.Errorf("list: %v %s", m.Header, m.Data)
	}
	// A stop ends what is in hand, with an answer.
	service.Stop()
	for range 64 {
		if m := <-answers; m.Header.Get(micro.ErrorCodeHeader) != "503" || !strings.Contains(string(m.Data), "stopping") {
			t.Errorf("a request at the stop: %v %s", m.Header, m.Data)
		}
	}
	service.Stop()
	if _, err := client(t, s).List(t.Context()); !errors.Is(err, control.ErrNoWorker) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestAnAnswerTooLargeSaysWhere(t *testing.T) {
	s := natstest.StartWith(t, server.Options{MaxPayload: 32 << 10})
	f := newFake()
	f.view = func(v worker.View) worker.View {
		v.Record.Roster = make([]rollcall.Participant, 400)
		return v
	}
	serve(t, s, f)
	_, err := client(t, s).Track(t.Context(), "c1")
	if codeOf(err) != control.Unavailable || !strings.Contains(err.Error(), "max_payload") || !strings.Contains(err.Error(), "meetings.state") {
		t.Errorf("track: %v", err)
	}
}

func TestAListOfManyComesInPages(t *testing.T) {
	s := natstest.StartWith(t, server.Options{MaxPayload: 32 << 10})
	f := newFake()
	for n := range 500 {
		f.tracked[fmt.Sprintf("c%03d", n)] = time.Now()
	}
	serve(t, s, f)
	list, err := client(t, s).List(t.Context())
	if err != nil || len(list.Meetings) != 500 || list.Meetings[499].ConferenceID != "c499" || list.Next != "" {
		t.Errorf("%d meetings, %v", len(list.Meetings), err)
	}
	if pages := f.count("list "); pages < 2 {
		t.Errorf("500 meetings in %d pages", pages)
	}
}

func TestDiscovery(t *testing.T) {
	s := natstest.Start(t)
	conn := s.Connect(t)
	find := func(n wire.Names) []string {
		t.Helper()
		tenants, err := control.Tenants(t.Context(), conn, n)
		if err != nil {
			t.Fatal(err)
		}
		return tenants
	}
	if got := find(names()); len(got) != 0 {
		t.Errorf("without a worker: %v", got)
	}
	first := serve(t, s, newFake(), control.Tenant{Name: "zeta"}, control.Tenant{Name: "acme"})
	serve(t, s, newFake(), control.Tenant{Name: "acme"}, control.Tenant{Name: "beta"})
	if _, err := micro.AddService(s.Connect(t), micro.Config{Name: "rollcall", Version: "9.9.9"}); err != nil {
		t.Fatal(err)
	}
	if got := find(names()); !slices.Equal(got, []string{"acme", "beta", "zeta"}) {
		t.Errorf("tenants: %v", got)
	}
	if got := find(wire.Names{Stream: "OTHER", Prefix: "meetings"}); len(got) != 0 {
		t.Errorf("tenants of another stream: %v", got)
	}
	first.Stop()
	if got := find(names()); !slices.Equal(got, []string{"acme", "beta"}) {
		t.Errorf("tenants after a stop: %v", got)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := control.Tenants(canceled, conn, names()); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestAnyVersionIsServed(t *testing.T) {
	s := natstest.Start(t)
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "(devel)": "0.0.0", "": "0.0.0", "v0.0.0-20261123010203-abcdef012345+dirty": "0.0.0-20261123010203-abcdef012345+dirty",
	} {
		conn := s.Connect(t)
		service, err := control.Serve(conn, names(), []control.Tenant{{Name: "acme"}}, newFake(), version, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
		var info micro.Info
		m, err := s.Connect(t).Request("$SRV.INFO.rollcall", nil, time.Minute)
		if err != nil || json.Unmarshal(m.Data, &info) != nil || info.Version != want || info.Metadata["version"] != version || len(info.Endpoints) != len(control.Verbs()) {
			t.Errorf("%q: %+v, %v", version, info, err)
		}
		service.Stop()
	}
}

func TestServeFailsOnAClosedConnection(t *testing.T) {
	conn := natstest.Start(t).Connect(t)
	conn.Close()
	if _, err := control.Serve(conn, names(), []control.Tenant{{Name: "acme"}}, newFake(), "v1.2.3", zap.NewNop()); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("error %v", err)
	}
}

func TestOrdersAreLoggedOnceAndWithoutNames(t *testing.T) {
	s := natstest.Start(t)
	core, logs := observer.New(zap.DebugLevel)
	conn := s.Connect(t)
	service, err := control.Serve(conn, names(), []control.Tenant{{Name: "acme"}}, newFake(), "v1.2.3", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Stop)
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	c := client(t, s)
	if _, err := c.Track(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Show(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Untrack(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	entries := logs.All()
	if len(entries) != 2 || entries[0].Message != "meeting tracked by request" || entries[1].Message != "meeting untracked by request" {
		t.Fatalf("logged: %v", entries)
	}
	for _, e := range entries {
		if got := e.ContextMap(); got["meeting"] != "c1" || got["tenant"] != "acme" || len(got) != 2 {
			t.Errorf("logged: %v", got)
		}
	}
}
