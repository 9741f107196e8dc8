package streak

import "go.uber.org/zap"

// Log logs the changes of one activity. It is not safe for concurrent use.
type Log struct {
	Logger *zap.Logger
	What   string // the activity, in front of "fails" and "works again"

	streak Streak
}

// Note takes the outcome of one attempt.
func (l *Log) Note(err error) {
	c := l.streak.Note(Cause(err))
	log, fields := l.Logger.Warn, []zap.Field{zap.Error(err)}
	if c.Failures > 0 {
		fields = append(fields, zap.Int("failures", c.Failures), zap.Duration("took", c.Took))
	}
	words := " fails"
	switch c.Kind {
	case Same:
		return
	case NewCause:
		words = " still fails, with a new cause"
	case Recovered:
		log, words = l.Logger.Info, " works again"
	}
	log(l.What+words, fields...)
}

// Failing reports whether the last attempt failed.
func (l *Log) Failing() bool { return l.streak.Failing() }
