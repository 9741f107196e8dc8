package address

import "testing"

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "192.168.1.2": false, "localhost.example": false, "127.0.0.1.nip.io": false,
	} {
		if got := Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %v", host, got)
		}
	}
}

func TestDialable(t *testing.T) {
	for listen, want := range map[string]string{
		":4222": "127.0.0.1:4222", "0.0.0.0:4222": "127.0.0.1:4222", "[::]:4222": "127.0.0.1:4222",
		"127.0.0.1:1": "127.0.0.1:1", "[::1]:1": "[::1]:1", "nats.example:4222": "nats.example:4222", "no port": "no port",
	} {
		if got := Dialable(listen); got != want {
			t.Errorf("Dialable(%q) = %q, want %q", listen, got, want)
		}
	}
}
