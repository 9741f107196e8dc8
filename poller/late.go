package poller

// leave has the pass go on without meetings whose call is overdue.
func (r *run) leave(ids []string) {
	for _, id := range ids {
		r.shard.underWay[id] = true
	}
	r.tally.underWay(ids...)
	r.late = append(r.late, r.ask.Late())
}

// arrived ends a call that the pass went on without. What is to be done about its
// meetings, such as to search for one that it was refused because of, is left to
// the pass that asks about them next.
func (r *run) arrived(ids []string) {
	for _, id := range ids {
		delete(r.shard.underWay, id)
	}
	over := r.late[0]
	r.late = r.late[1:]
	over()
}
