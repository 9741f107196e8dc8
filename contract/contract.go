// Package contract holds what programs in any language can be written against: a
// JSON Schema (2020-12) for each type of event with its envelope, for the record,
// the status, and the requests and answers of the service; an AsyncAPI 3.0
// document that says on which subject each of them stands; and one golden event
// for each type and reason. All of it is made from the Go types that write it.
//
// Within schema 1 things are added, and nothing is removed, retyped or narrowed:
// released holds the schemas of the last release, and a test compares them.
package contract

import "embed"

//go:generate go run ./generate

// Schemas are the schemas: schemas/event.<type>.json, schemas/record.json,
// schemas/status.json, schemas/api.<verb>.request.json, schemas/api.<verb>.answer.json
// and schemas/api.error.json.
//
//go:embed schemas/*.json
var Schemas embed.FS

// Golden are the golden events, golden/<type>.json and golden/<type>.<reason>.json,
// and golden/record.json and golden/status.json.
//
//go:embed golden/*.json
var Golden embed.FS
