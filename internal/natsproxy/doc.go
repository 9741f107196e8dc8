// Package natsproxy stands between a NATS client and a server in a test, so
// that what the network does wrong can be done on purpose. It promises to
// forward every byte unchanged and in order, and to stop and ask at the four
// moments of an atomic batch that matter (see [Moment]): the hook may wait as
// long as it likes, and then lets pass, drops, or cuts the connection.
//
// It speaks the plain protocol of NATS over TCP: no TLS, no WebSocket.
package natsproxy
