package config

import _ "embed"

// Schema is the JSON Schema (2020-12) of a configuration, for editors. It is made of
// the types, as the manual is.
//
//go:embed schema.json
var Schema string
