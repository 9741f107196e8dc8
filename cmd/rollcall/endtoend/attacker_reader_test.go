//go:build unix

package endtoend_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"rollcall/poller/budget"
)

// readerAttacks are what somebody tries who may connect to the embedded server.
func readerAttacks() []func(*attacker, context.Context) {
	return []func(*attacker, context.Context){
		(*attacker).forges, (*attacker).misdirects, (*attacker).administers, (*attacker).eavesdrops,
		(*attacker).hoardsConsumers, (*attacker).stalls, (*attacker).crowdsIn, (*attacker).babbles,
	}
}

// ledgerSubjects are where nobody but the worker may write.
func ledgerSubjects() []string {
	return []string{
		"rollcall.MEETINGS.commit.event.acme." + renamers + ".participant.kicked_out",
		"rollcall.MEETINGS.commit.state.acme." + renamers,
		"rollcall.MEETINGS.commit.tracked.acme.evil",
		"rollcall.MEETINGS.commit.status.acme",
		"rollcall.MEETINGS.commit.claim.acme.0",
		"rollcall.MEETINGS.commit.shards.acme",
		"meetings.event.acme." + renamers + ".meeting.ended",
		"meetings.claim.acme.0",
		"$KV.MEETINGS_BUDGET.acme." + string(budget.MonthOf(time.Now())),
		"$KV.MEETINGS_WORKERS.evil",
		"$JS.API.STREAM.PURGE.MEETINGS",
		"$JS.API.STREAM.DELETE.KV_MEETINGS_WORKERS",
		"rollcall.MEETINGS.shard.acme.found",
	}
}

// forges writes where only the worker may, plainly and as a batch.
func (a *attacker) forges(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	for _, subject := range ledgerSubjects() {
		for _, header := range []nats.Header{
			nil,
			{"Nats-Batch-Id": {"evil"}, "Nats-Batch-Sequence": {"1"}, "Nats-Batch-Commit": {"1"}},
			{"Nats-Rollup": {"sub"}},
		} {
			a.tries("publish to a subject of the ledger")
			_ = conn.PublishMsg(&nats.Msg{Subject: subject, Header: header, Data: []byte(`{"evil":true}`)})
		}
	}
	_ = conn.Flush()
	pause(ctx, 300*time.Millisecond)
}

// misdirects asks for answers on subjects of the ledger, where somebody else
// would write them.
func (a *attacker) misdirects(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	questions := map[string]string{
		"rollcall.MEETINGS.api.acme.list":                     "",
		"rollcall.MEETINGS.api.acme.show":                     `{"conferenceId":"` + renamers + `"}`,
		"$SRV.PING":                                           "",
		"$SRV.INFO.rollcall":                                  "",
		"$SRV.STATS":                                          "",
		"$JS.API.INFO":                                        "",
		"$JS.API.STREAM.INFO.MEETINGS":                        "",
		"$JS.API.STREAM.MSG.GET.MEETINGS":                     `{"last_by_subj":"meetings.status.acme"}`,
		"$JS.API.DIRECT.GET.MEETINGS":                         `{"last_by_subj":"meetings.status.acme"}`,
		"$JS.API.DIRECT.GET.MEETINGS.meetings.claim.acme.0":   "",
		"$JS.API.DIRECT.GET.KV_MEETINGS_WORKERS":              `{"seq":1}`,
		"$JS.API.CONSUMER.CREATE.MEETINGS.misdirected":        `{"stream_name":"MEETINGS","config":{"name":"misdirected","inactive_threshold":1000000000}}`,
		"$JS.API.CONSUMER.MSG.NEXT.MEETINGS.billing":          `{"batch":1,"no_wait":true}`,
		"$JS.API.CONSUMER.INFO.MEETINGS.billing":              "",
		"rollcall.MEETINGS.api.acme.list.and.what.is.not.one": "",
	}
	for subject, body := range questions {
		if strings.Contains(subject, "MSG.NEXT") {
			continue // takes from a durable whose name is known: documented, and not to be prevented
		}
		for _, to := range ledgerSubjects() {
			a.tries("ask for an answer on a subject of the ledger")
			_ = conn.PublishRequest(subject, to, []byte(body))
		}
	}
	for i, to := range ledgerSubjects() {
		a.tries("a push consumer that delivers to a subject of the ledger")
		name := fmt.Sprint("pushes", i)
		body := fmt.Sprintf(`{"stream_name":"MEETINGS","config":{"name":%q,"deliver_subject":%q,"ack_policy":"none","inactive_threshold":1000000000}}`, name, to)
		_ = conn.PublishRequest("$JS.API.CONSUMER.CREATE.MEETINGS."+name, conn.NewInbox(), []byte(body))
	}
	_ = conn.Flush()
	pause(ctx, 300*time.Millisecond)
}

// administers tries what changes or ends streams and what belongs to others.
func (a *attacker) administers(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	inbox := conn.NewInbox()
	asked := [][2]string{{"CONSUMER.DELETE.MEETINGS.billing"}, {"META.LEADER.STEPDOWN"}, {"ACCOUNT.PURGE.$G"}}
	for _, subjects := range []string{"evil.>", "_ROLLCALL.>", "_INBOX.>", "$JS.ACK.>", "rollcall.MEETINGS.api.>", "$SRV.>"} {
		asked = append(asked, [2]string{"STREAM.CREATE.EVIL", fmt.Sprintf(`{"name":"EVIL","subjects":[%q]}`, subjects)})
	}
	for _, name := range []string{"MEETINGS", "KV_MEETINGS_WORKERS", "KV_MEETINGS_BUDGET"} {
		asked = append(asked,
			[2]string{"STREAM.UPDATE." + name, fmt.Sprintf(`{"name":%q,"subjects":["evil.>"],"max_msgs":1}`, name)},
			[2]string{"STREAM.PURGE." + name}, [2]string{"STREAM.DELETE." + name},
			[2]string{"STREAM.MSG.DELETE." + name, `{"seq":1}`},
			[2]string{"STREAM.SNAPSHOT." + name, fmt.Sprintf(`{"deliver_subject":%q}`, inbox+".snapshot")},
			[2]string{"STREAM.RESTORE." + name, fmt.Sprintf(`{"config":{"name":%q}}`, name)},
			[2]string{"STREAM.LEADER.STEPDOWN." + name},
		)
	}
	other := `"durable_name":"billing","filter_subject":"meetings.status.>","ack_policy":"explicit"`
	asked = append(asked,
		[2]string{"CONSUMER.CREATE.MEETINGS.billing", `{"stream_name":"MEETINGS","action":"update","config":{"name":"billing",` + other + `}}`},
		[2]string{"CONSUMER.CREATE.MEETINGS.billing", `{"stream_name":"MEETINGS","config":{"name":"billing",` + other + `}}`},
		[2]string{"CONSUMER.DURABLE.CREATE.MEETINGS.billing", `{"stream_name":"MEETINGS","config":{` + other + `}}`},
		[2]string{"CONSUMER.PAUSE.MEETINGS.billing", `{"pause_until":"2100-01-01T00:00:00Z"}`},
		[2]string{"CONSUMER.UNPIN.MEETINGS.billing", `{"group":"x"}`},
		[2]string{"CONSUMER.LEADER.STEPDOWN.MEETINGS.billing"},
	)
	if _, err := conn.Subscribe(inbox+".*", func(m *nats.Msg) {
		answer, err := decode[struct{ Error *struct{ Description string } }](m.Data)
		if err == nil && answer.Error == nil && m.Header.Get("Status") == "" {
			a.wins("%s is answered %.200s", m.Subject[len(inbox)+1:], m.Data)
		}
	}); err != nil {
		return
	}
	for i, q := range asked {
		a.tries("administer what is not ours")
		token := fmt.Sprintf("%d-%s", i, strings.ReplaceAll(q[0], ".", "_"))
		_ = conn.PublishRequest("$JS.API."+q[0], inbox+"."+token, []byte(q[1]))
	}
	_ = conn.Flush()
	pause(ctx, time.Second)
}

// eavesdrops listens to what is said to others and asked of the server.
func (a *attacker) eavesdrops(ctx context.Context) {
	for _, subject := range []string{"$JS.API.>", "$SRV.>", "_INBOX.>", ">", "_ROLLCALL.>", "rollcall.MEETINGS.commit.>", "rollcall.MEETINGS.api.>", "_R_.>", "$KV.>"} {
		conn := a.connect(ctx)
		if conn == nil {
			return
		}
		defer conn.Close()
		a.tries("listen to what is not ours")
		if _, err := conn.QueueSubscribe(subject, "q", func(m *nats.Msg) { // as the workers do
			if !strings.HasPrefix(m.Subject, "meetings.") && !strings.HasPrefix(m.Reply, "$JS.ACK.") {
				a.wins("listening to %s, it hears %s, %q, %v, %.80s", subject, m.Subject, m.Reply, m.Header, m.Data)
			}
		}); err != nil {
			return
		}
		_ = conn.Flush()
	}
	pause(ctx, 5*time.Second)
}

// hoardsConsumers makes as many consumers as there may be, in memory and on
// disk, and leaves them there.
func (a *attacker) hoardsConsumers(ctx context.Context) {
	conn := a.connect(ctx)
	if conn == nil {
		return
	}
	defer conn.Close()
	inbox := conn.NewInbox()
	answered := make(chan *nats.Msg, 2000)
	if _, err := conn.ChanSubscribe(inbox, answered); err != nil {
		return
	}
	for i := range 1100 {
		a.tries("make a consumer and leave it")
		name := fmt.Sprint("hoard-", i)
		body := fmt.Sprintf(`{"stream_name":"MEETINGS","config":{"name":%q,"mem_storage":%t,"inactive_threshold":3600000000000,"ack_policy":"none"}}`, name, i%2 == 0)
		_ = conn.PublishRequest("$JS.API.CONSUMER.CREATE.MEETINGS."+name, inbox, []byte(body))
	}
	_ = conn.Flush()
	for range 1100 {
		select {
		case <-answered:
			a.tries("(of these, answered)")
		case <-ctx.Done():
			return
		}
	}
	pause(ctx, 10*time.Second)
}

// raw opens a connection without a client's manners.
func (a *attacker) raw(lines string) net.Conn {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(a.NATS, "nats://"), time.Second)
	if err != nil {
		return nil
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := bufio.NewReaderSize(conn, 16).ReadString(' '); err != nil {
		conn.Close()
		return nil
	}
	if _, err := conn.Write([]byte("CONNECT {\"verbose\":false,\"headers\":true}\r\nPING\r\n" + lines)); err != nil {
		conn.Close()
		return nil
	}
	_ = conn.SetDeadline(time.Time{})
	return conn
}

// stalls has everything sent that is stored, and reads none of it.
func (a *attacker) stalls(ctx context.Context) {
	var all []net.Conn
	for i := range 50 {
		inbox := fmt.Sprintf("_INBOX.stalls%d", i)
		body, _ := json.Marshal(map[string]any{
			"stream_name": "MEETINGS",
			"config":      map[string]any{"name": fmt.Sprint("stalls", i), "deliver_subject": inbox, "ack_policy": "none", "inactive_threshold": time.Second},
		})
		a.tries("have everything sent and read none of it")
		if conn := a.raw(fmt.Sprintf("SUB meetings.> 1\r\nSUB %s 2\r\nPUB $JS.API.CONSUMER.CREATE.MEETINGS.stalls%d _INBOX.none %d\r\n%s\r\n", inbox, i, len(body), body)); conn != nil {
			all = append(all, conn)
		}
	}
	pause(ctx, 12*time.Second)
	for _, conn := range all {
		conn.Close()
	}
}

// crowdsIn holds more connections than there may be.
func (a *attacker) crowdsIn(ctx context.Context) {
	pause(ctx, 5*time.Second)
	var all []net.Conn
	for range 400 {
		a.tries("hold a connection more")
		if conn := a.raw("SUB meetings.> 1\r\n"); conn != nil {
			all = append(all, conn)
		}
	}
	pause(ctx, 3*time.Second)
	for _, conn := range all {
		conn.Close()
	}
}

// babbles says what is not the protocol.
func (a *attacker) babbles(ctx context.Context) {
	for _, lines := range []string{
		strings.Repeat("x", 1<<16) + "\r\n",
		"PUB meetings.x 2000000000\r\n",
		"HPUB meetings.x 10 5\r\nNATS/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"SUB \x00\x1b[31m 1\r\n",
		"SUB " + strings.Repeat("a.", 2000) + "> 1\r\n",
		"PUB " + strings.Repeat("evil", 200) + " 1\r\nx\r\n",
		"\xff\xfe\xfd",
	} {
		a.tries("say what is no protocol")
		if conn := a.raw(lines); conn != nil {
			pause(ctx, 50*time.Millisecond)
			conn.Close()
		}
	}
	pause(ctx, 200*time.Millisecond)
}
