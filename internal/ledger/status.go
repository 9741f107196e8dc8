package ledger

import (
	"encoding/json"

	"rollcall"
	"rollcall/wire"
)

// StatusMessage is the message that stores a tenant's status in place of the
// one before.
func StatusMessage(n wire.Names, s wire.Status) (Message, error) {
	if !rollcall.ValidTenant(s.Tenant) {
		return Message{}, refuse("%.64q is no tenant; allowed are 1 to 32 of a-z 0-9 -", s.Tenant)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return Message{}, refuse("write status: %v", err)
	}
	return Message{Subject: n.Status(s.Tenant), Data: data, ContentType: "application/json", Rollup: true, TTL: "never"}, nil
}
