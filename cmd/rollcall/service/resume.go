package service

import "rollcall/poller"

// resumer is an asker that DingTalk's refusals keep from calling.
type resumer interface{ Resume() poller.Class }

// Resume lets every tenant call again that is kept from it by a refusal, such as
// a used up quota, and looks for meetings where that was not permitted, because
// an operator says so.
func (s *Service) Resume() {
	for _, t := range s.tenants {
		if held, ok := t.Asker.(resumer); ok {
			held.Resume()
		}
	}
	for _, f := range s.finders {
		f.Resume()
	}
}
