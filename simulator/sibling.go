package simulator

import (
	"slices"
	"strconv"
)

// confInfo is a meeting in the answers of the sibling operations. Its link
// carries a join token, as DingTalk's does.
type confInfo struct {
	ConferenceID         string `json:"conferenceId"`
	Title                string `json:"title"`
	Status               int64  `json:"status"`
	StartTime            int64  `json:"startTime,omitempty"`
	EndTime              int64  `json:"endTime,omitempty"`
	ConfDuration         int64  `json:"confDuration,omitempty"`
	ActiveNum            *int   `json:"activeNum,omitempty"`
	AttendNum            *int   `json:"attendNum,omitempty"`
	InvitedNum           *int   `json:"invitedNum,omitempty"`
	CreatorID            string `json:"creatorId"`
	CreatorNick          string `json:"creatorNick"`
	RoomCode             string `json:"roomCode"`
	ExternalLinkURL      string `json:"externalLinkUrl,omitempty"`
	ScheduleConferenceID string `json:"scheduleConferenceId,omitempty"`
	BizType              string `json:"bizType"`
}

func (m *meeting) brief() confInfo {
	return confInfo{
		ConferenceID: m.id, Title: m.title, Status: statusCode(m.status), StartTime: millis(m.startTime()),
		CreatorID: m.creator.userID, CreatorNick: m.creator.nick, RoomCode: m.roomCode, BizType: "default",
	}
}

func (m *meeting) info() confInfo {
	info := m.brief()
	info.ExternalLinkURL, info.ScheduleConferenceID = m.link, m.scheduleID
	if m.over() {
		info.EndTime = millis(m.ended)
	}
	if m.over() && !m.started.IsZero() {
		info.ConfDuration = info.EndTime - info.StartTime
	}
	return info
}

func (m *meeting) counted() confInfo {
	info := m.info()
	active, attended, invited := m.present(), 0, 0
	for _, d := range m.lines {
		if d.wasThere {
			attended++
		}
		if d.asked {
			invited++
		}
	}
	info.ActiveNum, info.AttendNum, info.InvitedNum = &active, &attended, &invited
	return info
}

// memberModel is a visit in the answers about members, or somebody who was asked
// and never there.
type memberModel struct {
	UnionID        string `json:"unionId"`
	ConferenceID   string `json:"conferenceId"`
	UserNick       string `json:"userNick"`
	JoinTime       int64  `json:"joinTime,omitempty"`
	LeaveTime      int64  `json:"leaveTime,omitempty"`
	Duration       int64  `json:"duration"`
	Host           bool   `json:"host"`
	CoHost         bool   `json:"coHost"`
	AttendStatus   int64  `json:"attendStatus"`
	OuterOrgMember bool   `json:"outerOrgMember"`
	PSTNJoin       bool   `json:"pstnJoin"`
}

// member tells of a device's visit; nil: it never was there.
func (a *answers) member(m *meeting, d *device, v *visit) memberModel {
	model := memberModel{
		UnionID: d.UserID, ConferenceID: m.id, UserNick: d.Nick, Host: d.host, CoHost: d.coHost,
		AttendStatus: int64(d.Attendance), OuterOrgMember: d.outer, PSTNJoin: d.person.phone,
	}
	if v == nil {
		return model
	}
	until := a.world.at
	if !v.left.IsZero() {
		until, model.LeaveTime, model.AttendStatus = v.left, millis(v.left), int64(v.how)
	}
	model.JoinTime, model.Duration = millis(v.joined), until.Sub(v.joined).Milliseconds()
	return model
}

// meeting is GET videoConferences/{conferenceId}.
func (a *answers) meeting(q question) reply {
	m := a.world.byID[q.request.PathValue("conferenceId")]
	if m == nil {
		return fail(codeUnknown)
	}
	return withAsked(okay(struct {
		ConfInfo confInfo `json:"confInfo"`
	}{m.counted()}), []string{m.id})
}

// members is GET videoConferences/{conferenceId}/members: the visits of everybody
// who was there, by device, and behind them who was asked and never came.
func (a *answers) members(q question) reply {
	m := a.world.byID[q.request.PathValue("conferenceId")]
	if m == nil {
		return fail(codeUnknown)
	}
	known := slices.Clone(m.visits)
	for _, d := range m.lines {
		if d.asked && d.last == nil {
			known = append(known, &visit{device: d, ordinal: neverThere + d.Number})
		}
	}
	page, ok := turnPage(q, known, func(v *visit) int { return v.ordinal })
	if !ok {
		return fail(codeParams)
	}
	answer := struct {
		MemberModels []memberModel `json:"memberModels"`
		NextToken    string        `json:"nextToken,omitempty"`
		TotalCount   int           `json:"totalCount"`
	}{[]memberModel{}, page.next, len(known)}
	for _, v := range page.items {
		answer.MemberModels = append(answer.MemberModels, a.member(m, v.device, v.began()))
	}
	return okay(answer)
}

// neverThere numbers those who were asked behind all visits.
const neverThere = 1 << 30

// began returns the visit; nil: it only stands for somebody who never came.
func (v *visit) began() *visit {
	if v.joined.IsZero() {
		return nil
	}
	return v
}

// organization is GET orgConferences: the meetings that have started and not ended.
func (a *answers) organization(q question) reply {
	page, ok := turnPage(q, a.those((*meeting).running), (*meeting).number)
	if !ok {
		return fail(codeParams)
	}
	answer := struct {
		OnGoingConfList []confInfo `json:"onGoingConfList"`
		NextToken       string     `json:"nextToken,omitempty"`
		HasMore         bool       `json:"hasMore"`
		TotalCount      int        `json:"totalCount"`
	}{[]confInfo{}, page.next, page.next != "", page.total}
	for _, m := range page.items {
		answer.OnGoingConfList = append(answer.OnGoingConfList, m.brief())
	}
	return okay(answer)
}

// room is GET roomCodes/{roomCode}/infos.
func (a *answers) room(q question) reply {
	code := q.request.PathValue("roomCode")
	meetings := a.those(func(m *meeting) bool { return m.roomCode == code })
	if len(meetings) == 0 {
		return fail(codeUnknown)
	}
	page, ok := turnPage(q, meetings, (*meeting).number)
	if !ok {
		return fail(codeParams)
	}
	answer := struct {
		ConferenceList []confInfo `json:"conferenceList"`
		NextToken      string     `json:"nextToken,omitempty"`
		HasMore        bool       `json:"hasMore"`
		TotalCount     int        `json:"totalCount"`
	}{[]confInfo{}, page.next, page.next != "", page.total}
	for _, m := range page.items {
		answer.ConferenceList = append(answer.ConferenceList, m.info())
	}
	return okay(answer)
}

// user is GET users/lists: the ongoing meetings a user is in or asked to.
func (a *answers) user(q question) reply {
	id := q.request.URL.Query().Get("unionId")
	if id == "" {
		return fail(codeParams)
	}
	answer := struct {
		OnGoingConfIDList []string               `json:"onGoingConfIdList"`
		MemberModelMap    map[string]memberModel `json:"memberModelMap"`
	}{[]string{}, map[string]memberModel{}}
	for _, m := range a.those((*meeting).running) {
		if d := m.best(id); d != nil {
			answer.OnGoingConfIDList = append(answer.OnGoingConfIDList, m.id)
			answer.MemberModelMap[m.id] = a.member(m, d, d.last)
		}
	}
	return okay(answer)
}

// best returns a user's most present device of the roster.
func (m *meeting) best(userID string) *device {
	var best *device
	for _, d := range m.listed {
		if d.UserID == userID && d.Attendance.InRoster() && (best == nil || d.Attendance > best.Attendance) {
			best = d
		}
	}
	return best
}

func (m *meeting) number() int { return m.ordinal }

func (a *answers) those(are func(*meeting) bool) []*meeting {
	var found []*meeting
	for _, m := range a.world.order {
		if are(m) {
			found = append(found, m)
		}
	}
	return found
}

// page is a part of a list, and the token for the rest.
type page[T any] struct {
	items []T
	total int
	next  string
}

// turnPage cuts the page a request asks for. The token is the number of the
// first item, so that the list may change between two pages.
func turnPage[T any](q question, all []T, number func(T) int) (page[T], bool) {
	const usual, most = 128, 500
	size, ok := parameter(q, "maxResults", usual)
	from, okToo := parameter(q, "nextToken", 0)
	if !ok || !okToo || size < 1 {
		return page[T]{}, false
	}
	cut := page[T]{total: len(all)}
	for _, item := range all {
		if number(item) < from {
			continue
		}
		if len(cut.items) == min(size, most) {
			cut.next = strconv.Itoa(number(item))
			break
		}
		cut.items = append(cut.items, item)
	}
	return cut, true
}

func parameter(q question, name string, otherwise int) (int, bool) {
	word := q.request.URL.Query().Get(name)
	if word == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0
}
