package target

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"rollcall/internal/secret"
	"rollcall/simulator/chat"
)

// fakes are chat services with a robot for each kind, and the target that
// speaks to it.
type fakes struct {
	*chat.Chat
	targets map[string]Target
}

func newFakes(t testing.TB, change func(*chat.Robot, *Options)) fakes {
	t.Helper()
	var robots []chat.Robot
	options := map[string]Options{}
	for _, robot := range chat.DefaultRobots() {
		o := Options{Secret: secret.New(robot.Secret)}
		if change != nil {
			change(&robot, &o)
		}
		robots, options[robot.Service] = append(robots, robot), o
	}
	services, err := chat.New(chat.Config{Robots: robots})
	if err != nil {
		t.Fatal(err)
	}
	f := fakes{services, map[string]Target{}}
	for _, robot := range robots {
		kind, known := KindOf(robot.Service)
		if !known {
			t.Fatalf("there is a service %s, and no kind", robot.Service)
		}
		o := options[robot.Service]
		o.Address, o.Transport = addressOf(t, "https://chat.example"+robot.Path()), services.Transport()
		if f.targets[kind.Name], err = kind.New(o); err != nil {
			t.Fatalf("%s: %v", kind.Name, err)
		}
	}
	for _, kind := range Kinds() {
		if f.targets[kind.Name] == nil {
			t.Fatalf("%s: there is no such service: write simulator/chat/%[1]s.go, with a row in services() (service.go)", kind.Name)
		}
	}
	return f
}

// message is one for a kind; its event suits the webhook.
func message(kind Kind, id string) Message {
	m := Message{ID: id, Title: "Weekly review", Plain: "Ann joined\nLi left", Event: fmt.Appendf(nil, `{"id":%q,"type":"rollcall.meeting.ended"}`, id)}
	if kind.Markup != nil {
		markup := kind.Markup(false)
		m.Body = markup.Line(markup.Bold(markup.Text("Ann"))+" joined") + "\n" + markup.Line(markup.Color(markup.Text("Li"), "bad")+" left")
	}
	return m
}

func TestEveryKindIsTaken(t *testing.T) {
	f := newFakes(t, nil)
	for _, kind := range Kinds() {
		got := f.targets[kind.Name].Send(t.Context(), message(kind, "e-1"))
		want := Outcome{Requests: 1, Queued: kind.Name == "teams"}
		if got != want {
			t.Errorf("%s: %+v, want %+v: %+v", kind.Name, got, want, f.Attempts())
		}
	}
	for _, m := range f.Messages() {
		if m.Form == "event" {
			continue
		}
		if whole := m.Title + m.Text; !strings.Contains(whole, "Weekly review") || !strings.Contains(whole, "Ann") || len(m.Mentions) > 0 {
			t.Errorf("%s shows %+v", m.Service, m)
		}
	}
}

// What each kind says of what each service may do.
func TestFaultsHaveTheirClass(t *testing.T) {
	for _, c := range []struct {
		fault chat.FaultKind
		want  Class
		only  string // the kind; "": all
		not   string
	}{
		{chat.Throttle, RateLimited, "", ""},
		{chat.Refuse, AuthError, "", ""},
		{chat.Gone, Gone, "", ""},
		{chat.Break, ServerError, "", ""},
		{chat.TooLarge, ClientError, "", ""},
		{chat.Garble, ServerError, "", "teams webhook"}, // a status is all that these two say
		{chat.Abort, ClientError, "webhook", ""},
		{chat.HangUp, Unreachable, "", ""},
		{chat.Drop, Unreachable, "", ""},
		{chat.Redirect, AuthError, "", ""},
	} {
		f := newFakes(t, nil)
		if err := f.Misbehave(chat.Fault{Kind: c.fault}); err != nil {
			t.Fatal(err)
		}
		for _, kind := range Kinds() {
			if c.only != "" && c.only != kind.Name || strings.Contains(c.not, kind.Name) {
				continue
			}
			got := f.targets[kind.Name].Send(t.Context(), message(kind, "e-1"))
			if got.Class != c.want || got.Detail == "" {
				t.Errorf("%s, %s: %+v, want class %q", kind.Name, c.fault, got, c.want)
			}
			if (got.Class == RateLimited) != (got.Pause > 0) {
				t.Errorf("%s, %s: the pause is %v", kind.Name, c.fault, got.Pause)
			}
			if lost := c.fault == chat.HangUp || c.fault == chat.Drop; lost && !got.Unsure {
				t.Errorf("%s, %s: it may have arrived, and the outcome is sure", kind.Name, c.fault)
			}
		}
	}
}

func TestThrottledDingTalkIsSilentForTenMinutes(t *testing.T) {
	f := newFakes(t, nil)
	if err := f.Misbehave(chat.Fault{Kind: chat.Throttle, Times: 1}); err != nil {
		t.Fatal(err)
	}
	got := f.targets["dingtalk"].Send(t.Context(), Message{Title: "t", Body: "b"})
	if got.Class != RateLimited || got.Pause != 10*time.Minute || got.Final {
		t.Errorf("%+v", got)
	}
}

// Too large for the service: the whole, then half of what it says it takes, then
// text; each once, and no more.
func TestTooLargeIsShortenedOnceThenText(t *testing.T) {
	for _, kind := range Kinds() {
		if kind.Markup == nil {
			continue
		}
		for times := 1; times <= 3; times++ {
			f := newFakes(t, nil)
			if err := f.Misbehave(chat.Fault{Kind: chat.TooLarge, Times: times}); err != nil {
				t.Fatal(err)
			}
			m := message(kind, "n-1")
			m.Body = strings.Repeat(m.Body+"\n", 10)
			got := f.targets[kind.Name].Send(t.Context(), m)
			switch {
			case times == 3:
				if got.Class != ClientError || !got.Final || got.Requests != 3 {
					t.Errorf("%s never takes it: %+v", kind.Name, got)
				}
				continue
			case got.Class != Delivered || !got.Shortened || got.Requests != times+1:
				t.Errorf("%s, refused %d times: %+v", kind.Name, times, got)
				continue
			}
			want := formOf(t, kind, message(kind, "n-1"))
			if times == 2 {
				want = formOf(t, kind, unstyled(kind))
			}
			if got := f.Messages()[0].Form; got != want {
				t.Errorf("%s, refused %d times: shown as %s, want %s", kind.Name, times, got, want)
			}
		}
	}
}

// unstyled is a message that goes as text: its first line is too long for any service.
func unstyled(kind Kind) Message {
	m := message(kind, "n-1")
	m.Body = strings.Repeat("x", 30_000)
	return m
}

// formOf is the form in which a service shows a message; that of the two is the
// same where it has only one. Which it has stands in the golden requests.
func formOf(t *testing.T, kind Kind, m Message) string {
	t.Helper()
	f := newFakes(t, nil)
	if got := f.targets[kind.Name].Send(t.Context(), m); got.Class != Delivered {
		t.Fatalf("%s: %+v", kind.Name, got)
	}
	return f.Messages()[0].Form
}

// Whoever keeps to all rates of a kind is never throttled, and none is below what
// the service takes. The service's own are held in simulator/chat.
func TestRatesAreTheServicesOwn(t *testing.T) {
	for _, kind := range Kinds() {
		synctest.Test(t, func(t *testing.T) {
			const many = 250 // more than any service counts
			if got := sendPaced(t, kind, newFakes(t, nil), kind.Limit.Rates, many); len(got) < many {
				t.Errorf("%s: message %d is throttled at %v: its rates are above those of simulator/chat/%[1]s.go", kind.Name, len(got)+1, kind.Limit.Rates)
			}
		})
		for i, rate := range kind.Limit.Rates {
			synctest.Test(t, func(t *testing.T) {
				f, others := newFakes(t, nil), slices.Delete(slices.Clone(kind.Limit.Rates), i, i+1)
				sent := sendPaced(t, kind, f, others, rate.Messages)
				time.Sleep(time.Until(sent[0].Add(rate.Window - time.Millisecond)))
				if got := f.targets[kind.Name].Send(t.Context(), message(kind, "one more")); got.Class != RateLimited {
					t.Errorf("%s: one more than %d in %v is taken: that rate is below those of simulator/chat/%[1]s.go", kind.Name, rate.Messages, rate.Window)
				}
			})
		}
	}
}

// sendPaced sends messages as soon as all rates allow, and returns when each was
// sent, up to the first that is not taken.
func sendPaced(t *testing.T, kind Kind, f fakes, rates []Rate, messages int) (sent []time.Time) {
	for n := range messages {
		for _, rate := range rates {
			if n >= rate.Messages {
				time.Sleep(time.Until(sent[n-rate.Messages].Add(rate.Window)))
			}
		}
		if got := f.targets[kind.Name].Send(t.Context(), message(kind, fmt.Sprint(n))); got.Class != Delivered {
			return sent
		}
		sent = append(sent, time.Now())
	}
	return sent
}

// However much there is to say, no service is sent more than it takes.
func TestNothingIsLargerThanTheServiceTakes(t *testing.T) {
	for _, line := range []string{"Ann joined the meeting", strings.Repeat("长", 100), strings.Repeat("长", 20_000), strings.Repeat(`"`, 3_000), "&<>"} {
		for _, kind := range Kinds() {
			if kind.Markup == nil {
				continue
			}
			f := newFakes(t, nil)
			markup := kind.Markup(true)
			lines := 1 + 50_000/len(line)
			m := Message{ID: "n-1", Title: wireName(line), Digest: true, Plain: strings.Repeat(line+"\n", lines)}
			m.Body = strings.Repeat(markup.Line(markup.Text(line))+"\n", lines)
			if got := f.targets[kind.Name].Send(t.Context(), m); got.Class != Delivered || !got.Shortened || got.Requests != 1 {
				t.Errorf("%s, lines of %d bytes: %+v", kind.Name, len(line), got)
			}
		}
	}
}

// A message full of a stranger's text is shown, whole or cut, without a mention.
func TestHostileNamesAreShownWithoutAMention(t *testing.T) {
	for _, kind := range Kinds() {
		if kind.Markup == nil {
			continue
		}
		for _, name := range hostile() {
			for _, digest := range []bool{false, true} {
				name, markup := wireName(name), kind.Markup(digest)
				body := markup.Line(markup.Color(markup.Bold(markup.Text(name)), "bad") + " x")
				m := Message{ID: "n-1", Title: name, Body: body, Plain: name + " x", Digest: digest}
				demandShown(t, kind, m)
				m.Body = strings.Repeat("x", 30_000) // as a line too long for any, so that the text is sent
				demandShown(t, kind, m)
			}
		}
	}
}

func demandShown(t *testing.T, kind Kind, m Message) {
	t.Helper()
	f := newFakes(t, nil)
	if got := f.targets[kind.Name].Send(t.Context(), m); got.Class != Delivered {
		t.Errorf("%s does not take %q: %+v", kind.Name, m.Title, got)
		return
	}
	if shown := f.Messages()[0]; len(shown.Mentions) > 0 || !utf8.ValidString(shown.Text) {
		t.Errorf("%s: %q is shown as %+v", kind.Name, m.Title, shown)
	}
}

func TestKeywordsAreAddedWhereTheyAreMissing(t *testing.T) {
	keywords := func(service string) bool { kind, _ := KindOf(service); return kind.Keywords }
	f := newFakes(t, func(r *chat.Robot, o *Options) {
		if keywords(r.Service) {
			r.Keyword, o.Keyword = "告警", "告警"
		}
	})
	unknown := newFakes(t, func(r *chat.Robot, _ *Options) { r.Keyword = "告警" })
	for _, kind := range chat.Services() {
		if !keywords(kind) {
			continue
		}
		if got := unknown.targets[kind].Send(t.Context(), Message{Title: "Weekly", Body: "hello"}); got.Class != AuthError {
			t.Errorf("%s without its keyword: %+v: simulator/chat/%[1]s.go must want it", kind, got)
		}
		for n, m := range []Message{
			{Title: "Weekly", Body: "hello", Plain: "hello"},
			{Title: "告警 Weekly", Body: "hello", Plain: "hello"},
			{Title: "Weekly", Body: "告警", Plain: "告警"},
			{Title: "", Body: "hello", Plain: "hello"},
			{Title: "Weekly", Body: strings.Repeat("x", 30_000), Plain: "hello"},
		} {
			if got := f.targets[kind].Send(t.Context(), m); got.Class != Delivered {
				t.Errorf("%s, message %d: %+v", kind, n, got)
				continue
			}
			all := f.Messages()
			if whole := all[len(all)-1].Title + "\n" + all[len(all)-1].Text; strings.Count(whole, "告警") > 2 {
				t.Errorf("%s, message %d: the keyword is there too often: %q", kind, n, whole)
			}
		}
	}
}

// mention is whom a group sees notified of those whom a message names.
type mention struct{ users, want []string }

func mentioned() map[string][]mention {
	return map[string][]mention{
		"dingtalk": {
			{[]string{"all"}, []string{"all"}},
			{[]string{"manager1", "13800138000"}, []string{"13800138000", "manager1", "13800138000"}},
		},
		"feishu": {{[]string{"all", "ou_1"}, []string{"id=all", "id=ou_1"}}},
		"wecom":  {{[]string{"all", "li"}, []string{"all", "li"}}},
		"slack":  {{[]string{"all", "U1"}, []string{"U1", "channel"}}},
		"teams":  {{[]string{"ann@example.com", "all"}, []string{"ann@example.com"}}},
	}
}

// A service that sees no mention would prove nothing of the names of strangers.
func TestMentionsAreTheServicesOwn(t *testing.T) {
	for name, all := range mentioned() {
		for _, c := range all {
			f := newFakes(t, nil)
			m := Message{Title: "t", Body: "b", Plain: "b", Mention: c.users, Digest: true}
			if got := f.targets[name].Send(t.Context(), m); got.Class != Delivered {
				t.Fatalf("%s: %+v", name, got)
			}
			if got := f.Messages()[0].Mentions; fmt.Sprint(got) != fmt.Sprint(c.want) || len(got) == 0 {
				t.Errorf("%s: simulator/chat/%[1]s.go sees %v mentioned, want %v", name, got, c.want)
			}
		}
	}
}

func TestASecretThatIsWrongIsRefused(t *testing.T) {
	f := newFakes(t, func(r *chat.Robot, o *Options) {
		if r.Secret != "" {
			o.Secret = secret.New("whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxsISEh")
		}
	})
	for _, kind := range Kinds() {
		if got := f.targets[kind.Name].Send(t.Context(), message(kind, "e-1")); (got.Class == AuthError) != kind.Signs || got.Final {
			t.Errorf("%s, which signs (%v): %+v: simulator/chat/%[1]s.go must check it", kind.Name, kind.Signs, got)
		}
	}
}

// A webhook's key is changed without a pause: the sender signs with both.
func TestOldKeysStillSign(t *testing.T) {
	f := newFakes(t, func(r *chat.Robot, o *Options) {
		if r.Service == "webhook" {
			o.OldSecrets, o.Secret = []secret.String{secret.New(r.Secret)}, secret.New("whsec_bm90IHRoZSBzZWNyZXQgYXQgYWxsISEh")
		}
	})
	kind, _ := KindOf("webhook")
	if got := f.targets["webhook"].Send(t.Context(), message(kind, "e-1")); got.Class != Delivered {
		t.Errorf("%+v", got)
	}
}
