package check

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"time"
)

// greeting is what a nats-server says of itself to a client that connects.
type greeting struct {
	Name    string `json:"server_name"`
	Version string `json:"version"`
}

// errSilent says that nothing was said for a while, as by what waits for TLS.
var errSilent = errors.New("it says nothing")

// greet connects and reads the first line that the server says.
func greet(ctx context.Context, address string) (greeting, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return greeting{}, err
	}
	defer func() { _ = conn.Close() }() // nothing was written
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return greeting{}, err
	}
	line, _, err := bufio.NewReaderSize(conn, 64<<10).ReadLine()
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		return greeting{}, errSilent
	}
	text, is := strings.CutPrefix(string(line), "INFO ")
	var info greeting
	if err != nil || !is || json.Unmarshal([]byte(text), &info) != nil {
		return greeting{}, errNoNATS
	}
	return info, nil
}

var errNoNATS = errors.New("what answers there is no NATS server")
