package differ

import (
	"maps"
	"slices"
	"testing"

	"rollcall"
)

// sentence is one row or one sentence of the contract, with the stories that
// show it.
type sentence struct {
	row     string // of the event table; "" for a sentence around it
	text    string
	stories []string
}

func contract() []sentence {
	return []sentence{
		{"1", "meeting.initialized: first seen with status 0", []string{"row-01-initialized", "row-01-status-said-later"}},
		{"2", "meeting.started: to status 2", []string{"row-02-started-first-poll"}},
		{"2", "time = startTime if it is not after window.before and, where there was an earlier poll, lies in the window", []string{
			"row-02-started-first-poll", "row-02-started-first-poll-ahead", "row-02-started-in-window", "row-02-started-outside-window", "row-02-started-after-window",
		}},
		{"2", "reason reopened after an end", []string{"row-02-reopened", "row-11-vanished-and-back"}},
		{"3", "meeting.title_changed, meeting.start_time_changed", []string{"row-03-title-and-start-time", "row-03-not-on-the-first-poll"}},
		{"4", "bits of mediaStatus: 4 mute all, 1 microphone, 2 camera", []string{"row-04-media", "row-04-media-baseline", "row-04-media-not-given"}},
		{"5", "mic_closed, camera_closed (what was open)", []string{"row-05-left", "row-05-kicked-out"}},
		{"5", "participant.left: left", []string{"row-05-left"}},
		{"5", "participant.left: vanished: no longer listed", []string{"row-05-vanished"}},
		{"5", "participant.left: called_again: now invited, joining or failed", []string{"row-05-called-again", "row-05-called-again-failed"}},
		{"5", "participant.kicked_out", []string{"row-05-kicked-out"}},
		{"6", "participant.invitation_lapsed: invited or joining, then no longer listed", []string{"row-06-lapsed", "row-06-old-gone-entries"}},
		{"7", "participant.declined (a rejectDescription), participant.join_failed: to failed", []string{"row-07-declined", "row-07-gone-then-failed"}},
		{"8", "participant.invited, participant.joining (after row 5 for one who was present)", []string{"row-08-invited-and-joining", "row-05-called-again"}},
		{"9", "participant.joined (session counts a participant's visits), then mic_opened, camera_opened", []string{"row-09-joined"}},
		{"10", "by key: devices of who stays present, participant.renamed (in the roster before and after)", []string{"row-10-devices-and-names", "row-10-renamed-in-roster"}},
		{"11", "kicked_out keeps its name for code 5; everyone else row 5 with left, row 6, with reason meeting_ended; then meeting.ended", []string{"row-11-status"}},
		{"11", "meeting.ended: reason status, resource_closed, vanished; time = endTime where it is known and lies in the window", []string{
			"row-11-status", "row-11-resource-closed", "row-11-vanished", "row-11-asked-and-ended",
			"row-11-end-outside-the-window", "row-11-end-on-the-edge", "first-poll-ended-ahead",
		}},
		{"11", "data.meeting.endTime is DingTalk's own end; data.exact says that time is DingTalk's own", []string{
			"row-11-status", "row-11-end-outside-the-window", "row-11-end-and-reopened", "row-02-started-first-poll",
		}},
		{"11", "then nobody outlasts it: window.before and time of this poll's departures are clipped to it", []string{
			"row-11-status", "row-11-resource-closed", "row-11-end-on-the-edge",
		}},
		{"12", "meeting.untracked: taken off the tracked set while it goes on: the roster is empty afterwards", []string{
			"row-12-untracked", "row-12-untracked-after-the-end", "row-12-untracked-never-recorded",
		}},
		{"12", "meeting.untracked may carry a reason: operator, expired, unknown_meeting", []string{"row-12-reasons", "first-poll-misses"}},
		{"12", "it says how many were still there: data.meeting.present before", []string{"row-12-untracked"}},
		{"12", "a later track begins a new epoch", []string{
			"row-12-untracked", "row-12-epoch-always-grows", "row-12-unknown-and-back",
		}},
		{"13", "meeting.summarized: after an end, when the exact times have been read; changes no roster", []string{
			"row-13-summarized", "row-13-summarized-without-a-time", "row-13-summarized-ahead", "row-13-summarized-too-late",
		}},
		{"15", "participant.role_changed: a known role differs; after row 10", []string{"row-15-roles", "row-15-roles-of-several-lines"}},

		{"16", "participant.forgotten: rollcall forget; data.participant holds the key alone", []string{
			"row-16-forgotten", "row-16-forgotten-after-the-end", "row-16-forgotten-of-the-gone", "row-16-forgotten-never-seen", "row-16-forgotten-under-a-pseudonym",
		}},

		{"", "data.labels: those of whoever tracks the meeting; track again with other labels replaces them", []string{"labels", "omit-nicks"}},
		{"", "time: the exact time if known, else window.before", []string{"row-02-started-in-window", "row-11-status", "window"}},
		{"", "window.after: when the previous recorded poll was asked; window.before: when this answer arrived, never earlier", []string{"window", "window-after-misses"}},
		{"", "meeting and participant are as after the whole poll; poll says which of the poll's events this is", []string{"row-09-joined", "order"}},
		{"", "one id longer than 256 bytes is refused", []string{"id-too-long"}},
		{"", "Roster: the participants whose attendance is invited, joining or present", []string{"row-08-invited-and-joining", "row-09-joined"}},
		{"", "attendance 0, null, absent or unknown: as before (a new person: invited)", []string{"attendance-unsaid"}},
		{"", "a microphone or camera is open only while its owner is present and the code is 2; unsaid: as before (new: closed)", []string{"device-unsaid"}},
		{"", "an absent or null userList covers nobody, [] is empty", []string{"list-absent-and-empty"}},
		{"", "what an answer does not say (a part) changes nothing", []string{
			"list-partial", "list-partial-counts", "list-nobody-can-say-who", "key-anonymous-partial", "answer-not-decoded",
		}},
		{"", "an absent or empty title or startTime: as before", []string{"row-03-title-and-start-time"}},
		{"", "an unknown status: as before", []string{"status-unknown", "row-01-status-said-later"}},
		{"", "unknown codes are counted", []string{"oddities-passed-on"}},
		{"", "the status never goes back except from ended to started; anything else is ignored and counted", []string{
			"status-goes-back", "status-after-the-end", "row-02-reopened",
		}},
		{"", "Key: the userId (with id: before one that starts with anon:)", []string{"key-escaped"}},
		{"", "anon:<nick>#<n>, n counting the entries of that nick after sorting them, most present first", []string{
			"key-anonymous", "key-anonymous-leaves", "key-anonymous-nicks-alike",
		}},
		{"", "no false visits by mere renumbering", []string{
			"key-anonymous-moved", "key-anonymous-moved-between-gone-codes", "key-anonymous-called-again",
			"key-anonymous-swapped-without-growth", "key-anonymous-declined", "key-anonymous-unlisted",
			"key-anonymous-remembered", "key-anonymous-asked", "key-anonymous-roster-first",
			"key-anonymous-one-grew", "key-anonymous-unsaid", "key-anonymous-all-moved",
			"key-anonymous-last-code", "key-anonymous-refusals", "key-anonymous-called-again-and-failed",
		}},
		{"", "entries of one key: the most present wins (present, joining, invited, then the gone)", []string{"merge-most-present"}},
		{"", "a tie goes to the open microphone, then camera, then the smaller bytes of nick and rejectDescription", []string{"merge-tie"}},
		{"", "among several entries of one key an unknown code is as before, never invited", []string{
			"merge-unsaid", "merge-unsaid-gone", "merge-unsaid-devices", "key-anonymous-as-before", "key-anonymous-nobody",
		}},
		{"", "the departure is the gone code whose number of entries grew since the last poll; several grew, or none: left", []string{"merge-departure-code"}},
		{"", "within rows 5 to 10 participants are ordered by key (bytewise), row by row", []string{"order", "row-05-left", "row-10-devices-and-names"}},
		{"", "the first poll is a diff from nothing, its events marked baseline; people already gone or failed yield no events", []string{
			"first-poll", "first-poll-after-misses", "first-poll-goes-on", "first-poll-says-nothing",
		}},
		{"", "people already gone or failed in the first answer that lists people (the first after a reopening too) yield no events", []string{
			"first-list", "first-list-empty", "first-list-in-part", "first-list-after-a-reopening", "row-02-reopened",
		}},
		{"", "privacy.nicks omit, and privacy.ids pseudonym, hold from the first answer after it, without a false event: another epoch tells what was known", []string{
			"omit-nicks", "omit-nicks-with-changes", "omit-nicks-without-a-list", "omit-nicks-at-the-end", "omit-nicks-once", "omit-nicks-of-the-gone", "omit-ids",
		}},
		{"", "a meeting found ended yields meeting.ended alone", []string{"first-poll-ended", "first-poll-ended-by-lookup"}},
		{"", "a tracked meeting that started and ended wholly unseen gets its start and its end, reconciled", []string{
			"row-02-took-place-unseen", "row-02-took-place-seen", "row-02-never-took-place", "row-02-took-place-until-nobody-knows", "first-poll-took-place",
		}},
		{"", "the answer that says ended says nothing else: no title, media or newcomers from it", []string{"row-11-status"}},
		{"", "once seen, a person stays known to the record as gone, listed or not, until the end", []string{"gone-stays-known", "row-05-vanished", "row-02-reopened"}},
		{"", "from nothing, invited, joining, failed or another gone code to left or kicked out: came and went, both inferred, after row 10, by key", []string{"row-10-came-and-went"}},
		{"", "missing from a complete answer, or refused as closed. Ended: it has ended, with the endTime", []string{"row-11-resource-closed", "row-11-asked-and-ended"}},
		{"", "started or initialized: it goes on, its misses are forgotten", []string{"misses-forgotten"}},
		{"", "unknown meeting: a miss; after missing_after_polls (default 3) in a row it has ended as vanished", []string{
			"row-11-vanished", "row-11-vanished-setting",
		}},
		{"", "one that nobody ever saw has not ended: its only event is meeting.untracked with the reason unknown_meeting", []string{
			"first-poll-misses", "row-12-tracked-again-and-gone",
		}},
	}
}

// Every row and sentence has a story, and every story shows one of them.
func TestContractIsTold(t *testing.T) {
	shown := map[string]bool{}
	for _, st := range loadStories(t) {
		shown[st.name] = false
	}
	rows := map[string]bool{}
	for _, sentence := range contract() {
		rows[sentence.row] = true
		if len(sentence.stories) == 0 {
			t.Errorf("no story shows: %s", sentence.text)
		}
		for _, name := range sentence.stories {
			if _, ok := shown[name]; !ok {
				t.Errorf("there is no story %q of: %s", name, sentence.text)
			}
			shown[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if !shown[name] {
			t.Errorf("the story %s shows no row or sentence", name)
		}
	}
	for _, rule := range eventRules() {
		if row := rule.row; !rows[row] && row != "10+" {
			t.Errorf("no sentence is of row %s", row)
		}
	}
}

// The words of the root and the rules know the same reasons.
func TestReasonsAreThoseOfTheRules(t *testing.T) {
	told := map[rollcall.Type]map[rollcall.Reason]bool{}
	for _, r := range eventRules() {
		if told[r.event] == nil {
			told[r.event] = map[rollcall.Reason]bool{}
		}
		told[r.event][r.reason] = true
	}
	for _, typ := range rollcall.Types() {
		want := map[rollcall.Reason]bool{}
		for _, reason := range rollcall.Reasons(typ) {
			want[reason] = true
		}
		if !maps.Equal(told[typ], want) {
			t.Errorf("the rules tell %s for %v, its reasons are %v", typ, told[typ], want)
		}
	}
}

// Taking any single rule away makes a story fall.
func TestEveryRuleIsNeeded(t *testing.T) {
	stories := loadStories(t)
	all := eventRules()
	for i, r := range all {
		fallen := ""
		for _, st := range stories {
			if len(st.run(slices.Delete(slices.Clone(all[:]), i, i+1))) > 0 {
				fallen = st.name
				break
			}
		}
		if fallen == "" {
			t.Errorf("no story needs rule %d: row %s %s %s", i, r.row, r.event, r.reason)
		}
		t.Logf("row %-3s %-34s %-15s -> %s", r.row, r.event, r.reason, fallen)
	}
}

// Where a slice ends within somebody's events, the renaming is not yet among them.
func TestRenamedComesLastOfAPerson(t *testing.T) {
	all := eventRules()
	renaming := slices.IndexFunc(all[:], func(r rule) bool { return r.event == rollcall.ParticipantRenamed })
	for _, r := range all[renaming+1:] {
		if r.row == all[renaming].row {
			t.Errorf("%s stands behind %s in row %s: put it before (rules.go), or a slice that ends between them tells the new nick twice (halfway in slice.go)",
				r.event, all[renaming].event, r.row)
		}
	}
}

// The table follows the contract: rows in order, each event known, each rule
// about a meeting or about people.
func TestTableIsWellFormed(t *testing.T) {
	types := map[rollcall.Type]bool{}
	for i, r := range eventRules() {
		if (r.meeting == nil) == (r.person == nil) {
			t.Errorf("rule %d: want exactly one condition", i)
		}
		if (r.meeting != nil) != (r.event.Entity() == "meeting") {
			t.Errorf("rule %d: the condition is not about what %s is about", i, r.event)
		}
		types[r.event] = true
	}
	for _, typ := range rollcall.Types() {
		if !types[typ] {
			t.Errorf("no rule tells %s", typ)
		}
	}
	if want := len(rollcall.Types()); len(types) != want {
		t.Errorf("rules tell %d types of events, want %d", len(types), want)
	}
}
