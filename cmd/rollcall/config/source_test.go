package config_test

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/cmd/rollcall/config"
)

func TestSourcesThatCanStandBeforeAPath(t *testing.T) {
	for source, want := range map[string]bool{
		"": true, "https://rollcall.example/prod": true, "/prod": true, "prod": true, "https://[::1]:8080": true,
		"https://rollcall.example/": false, "https://u:p@rollcall.example": false, "a b": false, "https://x?y": false, "x#y": false,
		"urn:x": false, `https://a"b`: false, "https://a<b": false, "h\u00e9": false, "/" + strings.Repeat("x", 256): false,
	} {
		data := fmt.Sprintf("stream: {source: %q}", source)
		if _, err := config.Load([]byte(data), func(string) (string, bool) { return "", false }); (err == nil) != want {
			t.Errorf("%q: %v", source, err)
		}
	}
}
