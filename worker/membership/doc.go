// Package membership says which workers live, what belongs to each, and into
// how many shards a tenant's meetings are divided. It promises that
//
//   - a worker counts as alive only while the ledger has lately confirmed it;
//   - all who have read the same members agree on the owner of each shard;
//   - nobody takes a shard that another has not let go of, unless that one has
//     stored nothing for a long time;
//   - the number of shards is the ledger's, not that of a configuration.
//
// Who owns a shard saves calls. That two who disagree do no harm is due to the
// term of a claim and to the compare-and-swap, which are not here.
package membership
