package wire

// For tests: the readers of the canonical form, and those of any form, which
// say what is right.
var (
	ReadRecord        = readRecord
	ReadTracking      = readTracking
	DecodeAnyForm     = decodeRecord
	DecodeAnyTracking = decodeTracking
)
