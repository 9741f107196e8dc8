package secret_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/secret"
)

func TestSecretNeverPrints(t *testing.T) {
	type holder struct {
		Name   string
		Secret secret.String
		Inner  *secret.String
		hidden secret.String
	}
	s := secret.New("hunter2")
	h := holder{"n", s, &s, s}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	prints := []string{string(encoded), fmt.Errorf("refused %v", s).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		prints = append(prints, fmt.Sprintf(verb, s), fmt.Sprintf(verb, h))
	}
	for _, p := range prints {
		if strings.Contains(p, "hunter2") || strings.Contains(p, "68756e74657232") {
			t.Errorf("the secret shows in %s", p)
		}
	}
	if s.Reveal() != "hunter2" || s.Empty() || !secret.New("").Empty() {
		t.Error("the secret itself is lost")
	}
}
