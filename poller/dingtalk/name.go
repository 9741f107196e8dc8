package dingtalk

// name is that of a member which the decoder reads.
type name uint8

const (
	nameOther name = iota

	nameConferenceID
	nameTitle
	nameStartTime
	nameStatus
	nameMediaStatus
	nameUserList

	nameUserID // the texts of a person, in the order of user.words
	nameNick
	nameRejectDescription
	nameAttendStatus // the codes, in the order of user.codes; nothing comes after them
	nameMicStatus
	nameCameraStatus
)

// longest is as long as any name below with its quotes and colon.
const longest = len(`"rejectDescription":`)

// meetingName passes the name of a meeting's member with its colon. Names that
// are written as usual are known at a glance; none of the others begins so.
func meetingName(b []byte, i int) (n name, end int) {
	if ahead, ok := glance(b, i); ok {
		switch {
		case string(ahead[:15]) == `"conferenceId":`:
			return nameConferenceID, skipSpace(b, i+15)
		case string(ahead[:8]) == `"title":`:
			return nameTitle, skipSpace(b, i+8)
		case string(ahead[:12]) == `"startTime":`:
			return nameStartTime, skipSpace(b, i+12)
		case string(ahead[:9]) == `"status":`:
			return nameStatus, skipSpace(b, i+9)
		case string(ahead[:14]) == `"mediaStatus":`:
			return nameMediaStatus, skipSpace(b, i+14)
		case string(ahead[:11]) == `"userList":`:
			return nameUserList, skipSpace(b, i+11)
		}
	}
	name, end := keyOf(b, i)
	switch string(name) {
	case "conferenceId":
		return nameConferenceID, end
	case "title":
		return nameTitle, end
	case "startTime":
		return nameStartTime, end
	case "status":
		return nameStatus, end
	case "mediaStatus":
		return nameMediaStatus, end
	case "userList":
		return nameUserList, end
	}
	return nameOther, end
}

// userName is meetingName for a member of somebody in the list.
func userName(b []byte, i int) (n name, end int) {
	if ahead, ok := glance(b, i); ok {
		switch {
		case string(ahead[:9]) == `"userId":`:
			return nameUserID, skipSpace(b, i+9)
		case string(ahead[:7]) == `"nick":`:
			return nameNick, skipSpace(b, i+7)
		case string(ahead[:15]) == `"attendStatus":`:
			return nameAttendStatus, skipSpace(b, i+15)
		case string(ahead[:15]) == `"cameraStatus":`:
			return nameCameraStatus, skipSpace(b, i+15)
		case string(ahead[:12]) == `"micStatus":`:
			return nameMicStatus, skipSpace(b, i+12)
		case string(ahead[:20]) == `"rejectDescription":`:
			return nameRejectDescription, skipSpace(b, i+20)
		}
	}
	name, end := keyOf(b, i)
	switch string(name) {
	case "userId":
		return nameUserID, end
	case "nick":
		return nameNick, end
	case "attendStatus":
		return nameAttendStatus, end
	case "micStatus":
		return nameMicStatus, end
	case "cameraStatus":
		return nameCameraStatus, end
	case "rejectDescription":
		return nameRejectDescription, end
	}
	return nameOther, end
}

// glance returns the bytes that the longest name would take, if there are so many.
func glance(b []byte, i int) (ahead []byte, ok bool) {
	if uint(i) >= uint(len(b)) || len(b)-i < longest {
		return nil, false
	}
	return b[i : i+longest], true
}
