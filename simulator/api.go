package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"rollcall"
	"rollcall/internal/wait"
)

// maxBody is the largest request that is read.
const maxBody = 1 << 20

// question is a request that has been read.
type question struct {
	request *http.Request
	body    []byte
}

// Handler serves DingTalk's API, and the control API below /_sim/. The faults
// that break connections want an http.Server around it.
func (s *Simulator) Handler() http.Handler {
	const conference = "/v1.0/conference/"
	answers := &answers{cfg: s.cfg, world: s.world, served: &s.serve}
	mux := http.NewServeMux()
	for pattern, op := range map[string]struct {
		name   Operation
		answer func(question) reply
	}{
		"POST " + conference + "videoConferences/query":                 {OpQuery, answers.query},
		"GET " + conference + "videoConferences/{conferenceId}":         {OpMeeting, answers.meeting},
		"GET " + conference + "videoConferences/{conferenceId}/members": {OpMembers, answers.members},
		"GET " + conference + "orgConferences":                          {OpOrganization, answers.organization},
		"GET " + conference + "users/lists":                             {OpUser, answers.user},
		"GET " + conference + "roomCodes/{roomCode}/infos":              {OpRoom, answers.room},
		"POST /v1.0/oauth2/accessToken":                                 {OpToken, s.auth.internalFlow},
		"POST /v1.0/oauth2/corpAccessToken":                             {OpToken, s.auth.corpFlow},
		"POST /v1.0/oauth2/{corpId}/token":                              {OpToken, s.auth.unifiedFlow},
		"POST /v1.0/gateway/connections/open":                           {OpGateway, s.push.open},
		"/":                                                             {OpUnknown, func(question) reply { return fail(codeNoSuchAPI) }},
	} {
		mux.Handle(pattern, s.operation(op.name, op.answer))
	}
	mux.HandleFunc("GET "+connectPath, s.push.connect)
	control{s}.handle(mux)
	return mux
}

// operation is the way of every call: a fault may strike, half the latency
// passes, the answer is made, the other half passes, the answer is sent.
func (s *Simulator) operation(op Operation, answer func(question) reply) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			body = nil // which no operation that reads one accepts
		}
		fault := s.strike(op)
		pause := (s.cfg.Latency + fault.delay()) / 2
		if !wait.For(r.Context(), pause) {
			return
		}
		rep := s.settle(op, fault, question{r, body}, answer)
		if wait.For(r.Context(), pause) {
			fault.deliver(w, r, rep)
		}
	})
}

func (s *Simulator) strike(op Operation) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.armed.strike(op)
}

// settle makes the answer and notes it.
func (s *Simulator) settle(op Operation, fault Fault, q question, answer func(question) reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.follow()
	number := s.serve.last() + 1
	rep := fault.apply(s.admitted(op, fault, q, answer))
	requestID := s.requestID(number)
	if rep.code != "" {
		rep.pieces = [][]byte{errorBody(rep.code, requestID, fault.Capitals)}
	}
	s.serve.add(Served{
		Number: number, At: s.world.at, Facts: s.world.facts.last(), Operation: op, Status: rep.status, Code: rep.code,
		RequestID: requestID, Fault: fault.Name, Asked: rep.asked, Shown: rep.shown,
	})
	return rep
}

// admitted answers a call that has a good token and is within the limits. A
// fault that is an answer in itself does not count as a call.
func (s *Simulator) admitted(op Operation, fault Fault, q question, answer func(question) reply) reply {
	if _, isError := rowOf(fault.Name); isError {
		return reply{}
	}
	if op.Metered() {
		if code := s.auth.admit(q.request); code != "" {
			return fail(code)
		}
	}
	return answer(q)
}

func (s *Simulator) requestID(number uint64) string {
	raw := strings.ToUpper(text(s.cfg.chance(streamRequest, number), hexDigits, 32))
	return fmt.Sprintf("%s-%s-%s-%s-%s", raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:])
}

// answers are those of the operations that show meetings. They are made under
// the simulator's lock.
type answers struct {
	cfg    Config
	world  *world
	served *journal[Served]
}

// query is the batch query. What it leaves out are ids that nobody knows, ended
// meetings whose style is to be omitted, and what the configuration hides; an id
// is answered once.
func (a *answers) query(q question) reply {
	var body struct {
		ConferenceIDList []string `json:"conferenceIdList"`
	}
	if json.Unmarshal(q.body, &body) != nil || len(body.ConferenceIDList) == 0 {
		return fail(codeParams)
	}
	asked := body.ConferenceIDList
	if a.cfg.MaxBatch > 0 && len(asked) > a.cfg.MaxBatch {
		return withAsked(fail(codeParams), asked)
	}
	shown, closed := a.show(asked)
	if closed {
		return withAsked(fail(codeClosed), asked)
	}
	if a.cfg.ShuffleInfos {
		rng := a.cfg.chance(streamShuffle, a.served.last())
		rng.Shuffle(len(shown), func(i, j int) { shown[i], shown[j] = shown[j], shown[i] })
	}
	return reply{status: http.StatusOK, pieces: join(shown), asked: asked, shown: shown}
}

func withAsked(rep reply, asked []string) reply {
	rep.asked = asked
	return rep
}

// show picks the asked meetings that an answer shows; closed says that one of
// them makes the whole answer fail.
func (a *answers) show(asked []string) (shown []Shown, closed bool) {
	shown = make([]Shown, 0, len(asked))
	seen := make(map[string]bool, len(asked))
	for _, id := range asked {
		m := a.world.byID[id]
		if m == nil || seen[id] || m.over() && m.endStyle == EndOmitted || a.hides(m) {
			continue
		}
		if m.over() && m.endStyle == EndResourceClosed {
			return nil, true
		}
		if a.cfg.MaxInfos > 0 && len(shown) == a.cfg.MaxInfos {
			continue
		}
		seen[id] = true
		shown = append(shown, Shown{ConferenceID: m.id, Facts: a.world.facts.last(), JSON: m.entry()})
	}
	return shown, false
}

// hides reports whether batch answers leave a meeting out that is not over.
func (a *answers) hides(m *meeting) bool {
	return a.cfg.HideUnstarted && m.status == rollcall.StatusInitialized
}

// join puts entries together without copying them.
func join(shown []Shown) [][]byte {
	pieces := make([][]byte, 0, 2*len(shown)+1)
	separator := []byte(`{"infos":[`)
	for _, meeting := range shown {
		pieces = append(pieces, separator, meeting.JSON)
		separator = []byte(",")
	}
	if len(shown) == 0 {
		pieces = append(pieces, separator)
	}
	return slices.Clip(append(pieces, []byte("]}")))
}
