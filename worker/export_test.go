package worker

import "rollcall/internal/ledger"

// Owner is the worker that a shard belongs to, of those with these names.
func Owner(tenant string, shard int, ids ...string) string {
	var members []ledger.Member
	for _, id := range ids {
		members = append(members, ledger.Member{ID: id})
	}
	return owner(members, tenant, shard)
}
