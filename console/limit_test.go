package console

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
)

// queue is a listener whose connections are handed to it.
type queue struct {
	net.Listener
	waiting chan net.Conn
}

func (q queue) Accept() (net.Conn, error) { return <-q.waiting, nil }
func (q queue) Close() error              { return nil }

func TestOneTooManyWaits(t *testing.T) { synctest.Test(t, oneTooManyWaits) }

func oneTooManyWaits(t *testing.T) {
	q := queue{waiting: make(chan net.Conn, 3)}
	for range 3 {
		_, server := net.Pipe()
		q.waiting <- server
	}
	l := limit(q, 2)
	first, _ := l.Accept()
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	third := make(chan net.Conn, 1)
	go func() {
		conn, _ := l.Accept()
		third <- conn
	}()
	synctest.Wait()
	select {
	case <-third:
		t.Fatal("a third connection was let in beside two")
	default:
	}
	first.Close()
	first.Close() // twice, as net/http may
	if conn := <-third; conn == nil || len(q.waiting) != 0 {
		t.Fatal("the third connection was not let in after the first had gone")
	}
	if got := len(l.slots); got != 2 {
		t.Errorf("%d slots are taken, want 2", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
}
