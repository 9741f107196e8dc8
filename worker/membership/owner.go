package membership

import (
	"hash/fnv"
	"strconv"
)

// Owner is the live worker with the highest rendezvous hash of a shard.
func Owner(ids []string, tenant string, shard int) string {
	best, bestHash := "", uint64(0)
	for _, id := range ids {
		h := fnv.New64a()
		_, _ = h.Write([]byte(tenant + "/" + strconv.Itoa(shard) + "/" + id))
		hash := mix(h.Sum64())
		if best == "" || hash > bestHash || hash == bestHash && id < best {
			best, bestHash = id, hash
		}
	}
	return best
}

// mix spreads FNV's output: its high bits hardly depend on the last bytes.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// ShardOf is the shard that a meeting belongs to.
func ShardOf(conferenceID string, shards int) int {
	if shards <= 1 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(conferenceID))
	return int(mix(h.Sum64()) % uint64(shards))
}
