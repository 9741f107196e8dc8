package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Whatever health looks at may hang with a disk. Probes are answered all the
// same, and one measurement hangs, not one more with each of them.
func TestHealthThatHangsIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, asked := make(chan struct{}), atomic.Int32{}
		hangs := hanging(func() []Check {
			asked.Add(1)
			<-disk
			return []Check{{Name: "all", OK: true}}
		})
		pages := ready(hangs)
		ask := func() (int, string) {
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			return w.Code, w.Body.String()
		}
		for range 3 {
			if code, body := ask(); code != http.StatusServiceUnavailable || !strings.Contains(body, "the disk of data_dir may hang") {
				t.Errorf("%d %s", code, body)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d measurements hang", n)
		}
		close(disk)
		synctest.Wait()
		if code, body := ask(); code != http.StatusOK {
			t.Errorf("the disk works again: %d %s", code, body)
		}
	})
}

type hanging func() []Check

func (h hanging) Health() []Check { return h() }
