package dingtalk

import (
	"strings"
	"testing"
	"time"
)

func TestEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://api.dingtalk.com":       "",
		"https://api.dingtalk.io/":       "",
		"https://gateway.example:8443":   "",
		"http://127.0.0.1:9099":          "",
		"http://[::1]:9099":              "",
		"http://localhost:9099":          "",
		"http://LOCALHOST":               "",
		"http://api.dingtalk.com":        `endpoint on "api.dingtalk.com" must use https`,
		"http://localhost.example":       "must use https",
		"http://127.0.0.1.example":       "must use https",
		"http://10.0.0.1":                "must use https",
		"http://0.0.0.0:9099":            "must use https",
		"http://2130706433":              "must use https",
		"ftp://api.dingtalk.com":         `scheme "ftp" is not https`,
		"":                               "has no host",
		"api.dingtalk.com":               "has no host",
		"https://":                       "has no host",
		"https://:443":                   "has no host",
		"https://u:hunter2@localhost":    "must not hold a user or password",
		"https://hunter2@localhost:%zz":  "is not a URL",
		"https://api.dingtalk.com/v1.0":  "must end after its host",
		"https://api.dingtalk.com?a=b":   "must end after its host",
		"https://api.dingtalk.com/#frag": "must end after its host",
	} {
		client, err := New(Config{Endpoint: endpoint, Auth: internalApp()})
		if err == nil {
			client.Close()
		}
		switch {
		case want == "" && err != nil, want != "" && err == nil:
			t.Errorf("%q: %v", endpoint, err)
		case err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%q: %v, want %q", endpoint, err, want)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	if _, err := New(Config{Endpoint: "https://api.dingtalk.com", Auth: internalApp(), Timeout: -1}); err == nil {
		t.Error("a negative timeout is taken")
	}
	client, err := New(Config{Endpoint: "https://api.dingtalk.com/", Auth: internalApp()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if x := client.exchange; x.timeout != 10*time.Second || x.maxAnswer != 64<<20 || client.own == nil || x.endpoint.String() != "https://api.dingtalk.com" {
		t.Errorf("timeout %v, %d bytes, endpoint %v", x.timeout, x.maxAnswer, x.endpoint)
	}
}
