package service

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// volume is a disk of 100 MiB that is as full and as broken as a test says.
type volume struct {
	free         int64 // MiB
	failed, kept error
}

func (v *volume) Disk() (free, total int64, err error) { return v.free << 20, 100 << 20, v.failed }
func (v *volume) WriteError() error                    { return v.kept }

// changing is a volume that changes while it is watched.
type changing struct{ atomic.Pointer[volume] }

func (c *changing) Disk() (free, total int64, err error) { return c.Load().Disk() }
func (c *changing) WriteError() error                    { return c.Load().WriteError() }

func TestTheProcessEndsOnceANewStartHelps(t *testing.T) {
	broken := errors.New("no space left on device")
	for name, c := range map[string]struct {
		after []volume // at each look
		ends  bool
	}{
		"all is well":                {[]volume{{free: 90}, {free: 90}, {free: 90}, {free: 90}, {free: 90}}, false},
		"nearly full, nothing broke": {[]volume{{free: 2}, {free: 2}, {free: 90}, {free: 90}, {free: 90}, {free: 90}}, false},
		"broken and full":            {[]volume{{kept: broken}, {kept: broken}, {kept: broken}, {kept: broken}, {kept: broken}}, false},
		"too little is free again":   {[]volume{{kept: broken}, {5, nil, broken}, {5, nil, broken}, {5, nil, broken}, {5, nil, broken}}, false},
		"room for a moment":          {[]volume{{kept: broken}, {90, nil, broken}, {90, nil, broken}, {90, nil, broken}, {0, nil, broken}, {90, nil, broken}}, false},
		"it works again by itself":   {[]volume{{90, nil, broken}, {90, nil, broken}, {90, nil, broken}, {90, nil, nil}, {90, nil, broken}}, false},
		"the disk cannot be asked":   {[]volume{{90, broken, broken}, {90, broken, broken}, {90, broken, broken}, {90, broken, broken}, {90, broken, broken}}, false},
		"room since long enough":     {[]volume{{kept: broken}, {90, nil, broken}, {90, nil, broken}, {90, nil, broken}, {90, nil, broken}}, true},
		"another write error":        {[]volume{{90, nil, broken}, {90, nil, broken}, {90, nil, broken}, {90, nil, broken}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			room, at, ends := time.Time{}, time.Now(), false
			for i, v := range c.after {
				if ends {
					t.Fatalf("it ends before look %d", i)
				}
				d := disk{store: &v}
				now := d.look()
				now.at = at.Add(time.Duration(i) * diskEvery)
				ends = now.past(&room)
			}
			if ends != c.ends {
				t.Errorf("it ends: %t", ends)
			}
		})
	}
}

func TestAFullDiskIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		v := new(changing)
		d := &disk{dir: "/var/lib/rollcall", store: v, log: zap.New(core)}
		ended := make(chan error, 1)
		show := func(now volume, ok bool, words ...string) {
			t.Helper()
			if v.Swap(&now) == nil {
				go func() { ended <- d.run(t.Context()) }()
			}
			time.Sleep(diskEvery + 1)
			synctest.Wait()
			check := d.health()
			for _, word := range append(words, "/var/lib/rollcall", fmt.Sprintf("%d.0 MiB of 100.0", now.free), "more than 5.0") {
				if check.OK != ok || !strings.Contains(check.Detail, word) {
					t.Errorf("%q is not in %+v", word, check)
				}
			}
		}
		broken := errors.New("stream X write error")
		show(volume{free: 90}, true)
		show(volume{free: 2}, false, "free some space")
		show(volume{free: 0, kept: broken}, false, "free some space", "stream X write error")
		show(volume{free: 80, kept: broken}, false, "until it is started again", "stream X write error")
		if err := <-ended; !strings.Contains(err.Error(), "/var/lib/rollcall") || !strings.Contains(err.Error(), "stream X write error") {
			t.Errorf("it ends with %v", err)
		}
		if n := logs.Len(); n != 3 {
			t.Errorf("%d lines for three changes: %v", n, logs.All())
		}
		time.Sleep(diskHangs + 1)
		if check := d.health(); check.OK || check.Age < diskHangs {
			t.Errorf("it has not been looked at for a minute: %+v", check)
		}
	})
}

func TestInsufficientResourcesNameTheDisk(t *testing.T) {
	short := &jetstream.APIError{Code: 503, ErrorCode: 10023, Description: "insufficient resources"}
	other := errors.New("it did not answer")
	var none *disk
	if words := none.blamed(short); words != "" {
		t.Errorf("of a server elsewhere: %s", words)
	}
	d := &disk{dir: "/data", store: &volume{free: 90}}
	now := d.look()
	d.latest.Store(&now)
	s := &Service{disk: d}
	if err := s.explained(short); !errors.Is(err, short) || !strings.Contains(err.Error(), "/data: 90.0 MiB of 100.0") {
		t.Errorf("of the embedded one: %v", err)
	}
	if words := d.blamed(other); words != "" {
		t.Errorf("with room: %s", words)
	}
	d.store = &volume{free: 1}
	now = d.look()
	if err := s.explained(other); !errors.Is(err, other) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("without room: %v", err)
	}
}
