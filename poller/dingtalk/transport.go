package dingtalk

import (
	"net"
	"net/http"
	"time"

	"rollcall/poller"
)

// newTransport makes what carries calls to one host every few seconds: the
// connection is kept, and a dead one is noticed before the call's own limit. It
// speaks HTTP/1.1, which sends a request that cannot be had again once.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		Protocols:              http1,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConns:           poller.MostInFlight,
		MaxIdleConnsPerHost:    poller.MostInFlight,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}
