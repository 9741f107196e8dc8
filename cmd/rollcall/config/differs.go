package config

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"reflect"
)

// Differs are the keys whose values differ, and take effect at a start alone: all but
// the level of the log, and those that live reports.
func (c Config) Differs(next Config, live func(key string) bool) (keys []string) {
	was := map[string]any{}
	visit := func(note func(key string, value any)) func(int, string, reflect.Value, reflect.Value) {
		return func(_ int, key string, v, _ reflect.Value) {
			if key != "log.level" && !live(key) && v.Kind() != reflect.Struct {
				note(key, v.Interface())
			}
		}
	}
	each(0, "", reflect.ValueOf(c), visit(func(key string, value any) { was[key] = value }))
	each(0, "", reflect.ValueOf(next), visit(func(key string, value any) {
		if !reflect.DeepEqual(was[key], value) {
			keys = append(keys, key)
		}
	}))
	return keys
}

// Hash is a number that two configurations share only when they are the same, as far
// as the 48 bits go that a metric holds exactly.
func (c Config) Hash() float64 {
	text, _ := json.Marshal(c) // it holds nothing that cannot be written
	sum := sha256.Sum256(text)
	return float64(binary.BigEndian.Uint64(sum[:8]) >> 16)
}
