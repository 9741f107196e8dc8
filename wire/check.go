package wire

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"rollcall"
)

// CheckPoll refuses what no event of the poll can have.
func CheckPoll(e *rollcall.Event) error {
	switch {
	case !rollcall.ValidTenant(e.Tenant):
		return fmt.Errorf("%.64q is no tenant", e.Tenant)
	case e.ConferenceID == "" || len(e.ConferenceID) > rollcall.MaxID:
		return fmt.Errorf("the id of a meeting has 1 to %d bytes, not %d", rollcall.MaxID, len(e.ConferenceID))
	case !utf8.ValidString(e.ConferenceID):
		return errors.New("the id of the meeting is not UTF-8")
	case e.Epoch < 0:
		return fmt.Errorf("%s: epoch %d", e.Type, e.Epoch)
	case e.Window.Before.IsZero():
		return fmt.Errorf("%s: no end of the window", e.Type)
	case e.Window.Before.Before(e.Window.After):
		return fmt.Errorf("%s: the window ends before it begins", e.Type)
	}
	if err := CheckTime("startTime", e.Meeting.StartTime); err != nil {
		return err
	}
	if err := CheckTime("endTime", e.Meeting.EndTime); err != nil {
		return err
	}
	if err := e.Labels.Check(); err != nil {
		return err
	}
	if err := CheckTime("window.after", e.Window.After); err != nil {
		return err
	}
	return CheckTime("window.before", e.Window.Before)
}

// CheckEvent refuses what this one event cannot have.
func CheckEvent(e *rollcall.Event) error {
	switch {
	case !knownType(e.Type):
		return fmt.Errorf("unknown type %.64q", e.Type)
	case (e.Type.Entity() == "participant") != (e.Participant != nil):
		return fmt.Errorf("%s: participant events have a participant, others have none", e.Type)
	case e.Participant != nil && (e.Participant.Key == "" || !utf8.ValidString(e.Participant.Key)):
		return fmt.Errorf("%s: the participant has no proper key", e.Type)
	case e.Sequence == 0 || e.Index < 1 || e.Index > e.Count:
		return fmt.Errorf("%s: sequence %d, %d of %d", e.Type, e.Sequence, e.Index, e.Count)
	case e.Time.IsZero():
		return fmt.Errorf("%s: no time", e.Type)
	}
	return CheckTime("time", e.Time)
}

func knownType(t rollcall.Type) bool { return slices.Contains(rollcall.Types(), t) }
