package worker

import (
	"errors"

	"rollcall"
	"rollcall/poller"
)

// reason is why nobody looks, as the last pass says.
func (w *watch) reason() rollcall.Reason {
	last := w.lastPass()
	if last == nil {
		return rollcall.ReasonUnreachable
	}
	if last.Good && w.tenant.Budget != nil { // none was made since: there are no calls
		return rollcall.ReasonBudget
	}
	return reasonOf(&last.Report)
}

func reasonOf(report *poller.Report) rollcall.Reason {
	if errors.Is(report.Err, errPaused) {
		return rollcall.ReasonPaused
	}
	said := poller.ClassOf(report.Err)
	switch held := heldBack(report); {
	case said == poller.ClassQuota:
		return rollcall.ReasonQuota
	case held == poller.ClassQuota: // it was not DingTalk that said so
		return rollcall.ReasonBudget
	case said == poller.ClassThrottled || held == poller.ClassThrottled:
		return rollcall.ReasonThrottled
	case said == poller.ClassBlocked || held == poller.ClassBlocked:
		return rollcall.ReasonBlocked
	case said == poller.ClassPermission || held == poller.ClassPermission:
		return rollcall.ReasonPermission
	case said == poller.ClassToken || held == poller.ClassToken:
		return rollcall.ReasonAuth
	case said == poller.ClassBadRequest || held == poller.ClassBadRequest:
		return rollcall.ReasonRefused
	}
	return rollcall.ReasonUnreachable
}

// heldBack is the class for which meetings were not asked about, where all are so.
func heldBack(report *poller.Report) poller.Class {
	lowest := poller.ClassNone
	for _, class := range report.Unanswered {
		if class != poller.ClassNone && (lowest == poller.ClassNone || class < lowest) {
			lowest = class
		}
	}
	return lowest
}
