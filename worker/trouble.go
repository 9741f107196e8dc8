package worker

import (
	"time"

	"go.uber.org/zap"
)

// trouble logs the first failure of something, a different failure, and the
// recovery with its count; the same failure again is silence.
type trouble struct {
	log   *zap.Logger
	what  string
	text  string
	count int
	since time.Time
}

// note takes the outcome of one attempt.
func (t *trouble) note(err error) {
	switch {
	case err == nil && t.count == 0:
	case err == nil:
		t.log.Info(t.what+" works again", zap.Int("failures", t.count), zap.Duration("took", time.Since(t.since)))
		t.count, t.text = 0, ""
	default:
		if t.count == 0 {
			t.since = time.Now()
		}
		t.count++
		if text := err.Error(); text != t.text {
			t.text = text
			t.log.Warn(t.what+" fails", zap.Error(err))
		}
	}
}
