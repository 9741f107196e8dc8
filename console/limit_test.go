package console

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// queue is a listener whose connections are handed to it.
type queue struct {
	net.Listener
	waiting chan net.Conn
}

func (q queue) Accept() (net.Conn, error) { return <-q.waiting, nil }
func (q queue) Close() error              { return nil }

// room is a listener for two, with more in its queue.
func room(more int) *limited {
	q := queue{waiting: make(chan net.Conn, 2+more)}
	for range 2 + more {
		_, server := net.Pipe()
		q.waiting <- server
	}
	return limit(q, 2)
}

// enter accepts a connection and tells its states.
func enter(t *testing.T, l *limited, states ...http.ConnState) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range states {
		l.follow(conn, state)
	}
	return conn
}

func gone(conn net.Conn) bool {
	return conn.SetDeadline(time.Time{}) != nil // which a pipe that is closed refuses
}

func TestTheLongestSilentMakesRoom(t *testing.T) {
	l := room(3)
	first := enter(t, l, http.StateNew, http.StateActive, http.StateIdle)
	second := enter(t, l, http.StateNew)
	l.follow(first, http.StateActive) // it asks again
	l.follow(first, http.StateIdle)
	third := enter(t, l, http.StateNew, http.StateActive)
	if !gone(second) || gone(first) {
		t.Errorf("second gone: %v, first gone: %v: the one that was silent for longest goes", gone(second), gone(first))
	}
	fourth := enter(t, l, http.StateNew)
	if !gone(first) || gone(third) || gone(fourth) {
		t.Error("whoever is being answered was sent away")
	}
}

func TestOneTooManyWaitsForAnAnswer(t *testing.T) { synctest.Test(t, oneTooManyWaits) }

func oneTooManyWaits(t *testing.T) {
	l := room(2)
	first := enter(t, l, http.StateNew, http.StateActive)
	second := enter(t, l, http.StateNew, http.StateActive)
	accepted := make(chan net.Conn, 1)
	accept := func() {
		conn, _ := l.Accept()
		accepted <- conn
	}
	go accept()
	synctest.Wait()
	if len(accepted) != 0 {
		t.Fatal("a third connection was let in beside two that are being answered")
	}
	first.Close()
	first.Close() // twice, as net/http may
	l.follow(<-accepted, http.StateActive)
	go accept()
	synctest.Wait()
	if len(accepted) != 0 {
		t.Fatal("one that was closed twice made room for two")
	}
	l.follow(second, http.StateIdle)
	if conn := <-accepted; conn == nil || !gone(second) {
		t.Error("the one that fell silent did not make room")
	}
}

func TestClosedWhileOneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := room(1)
		enter(t, l, http.StateActive)
		enter(t, l, http.StateActive)
		failed := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			failed <- err
		}()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
	})
}
