package rollcall

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Pseudonyms replaces the user ids of one tenant by pseudonyms: always the same for one
// id, and without the secret neither to be made from an id nor to be led back to one.
type Pseudonyms struct {
	tenant, prefix string
	secret         []byte
}

// NewPseudonyms makes those of a tenant. Workers that share a tenant need the same secret.
func NewPseudonyms(secret []byte, tenant string) *Pseudonyms {
	p := &Pseudonyms{tenant: tenant, secret: secret}
	p.prefix = "p-" + p.sum("")[:6] + "-" // says which secret it was, so that another one is noticed
	return p
}

// Of returns the pseudonym of a user id. What is one already, made with whichever
// secret, stays, as does "" and what [Forgotten] has made.
func (p *Pseudonyms) Of(userID string) string {
	if userID == "" || IsPseudonym(userID) || IsForgotten(userID) {
		return userID
	}
	return p.prefix + p.sum(userID)[:26]
}

// Own reports whether a pseudonym was made with this secret.
func (p *Pseudonyms) Own(pseudonym string) bool { return strings.HasPrefix(pseudonym, p.prefix) }

// IsPseudonym reports whether a user id is a pseudonym, made with whichever secret.
func IsPseudonym(userID string) bool {
	digits, ok := strings.CutPrefix(userID, "p-")
	return ok && len(digits) == 33 && digits[6] == '-' && hexadecimal(digits[:6]+digits[7:])
}

func (p *Pseudonyms) sum(of string) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(p.tenant + "\x00" + of)) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}
