package worker

// Owner is the worker that a shard belongs to, of those with these names.
func Owner(tenant string, shard int, ids ...string) string {
	return owner(ids, tenant, shard)
}

// ShardOf is the shard that a meeting belongs to, of so many.
func ShardOf(conferenceID string, shards int) int { return shardOf(conferenceID, shards) }
