package note

// EveryChange is what templates are tried with.
func EveryChange() []Note { return everyChange() }
