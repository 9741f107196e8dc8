package main

import (
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/safetext"
)

// newLogger makes the logger that the configuration asks for. It drops no
// repeated line, writes UTC, and shows no control character in either format.
func newLogger(out io.Writer, cfg config.Log) (*zap.Logger, error) {
	log, _, err := newLeveledLogger(out, cfg)
	return log, err
}

// newLeveledLogger also returns the level, which may be changed.
func newLeveledLogger(out io.Writer, cfg config.Log) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(cfg.Level)
	if err != nil {
		return nil, level, fmt.Errorf("make logger: %w", err)
	}
	sink := zapcore.Lock(shownWriter{out})
	core := zapcore.NewCore(encoder(cfg.Format), sink, level)
	return zap.New(core, zap.ErrorOutput(sink)), level, nil
}

func encoder(format string) zapcore.Encoder {
	shape := zap.NewProductionEncoderConfig()
	shape.TimeKey = "time"
	shape.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
		zapcore.ISO8601TimeEncoder(t.UTC(), out)
	}
	shape.EncodeDuration = zapcore.StringDurationEncoder
	if format == "console" {
		return zapcore.NewConsoleEncoder(shape)
	}
	return zapcore.NewJSONEncoder(shape)
}

// shownWriter escapes what would not show. zap escapes what is below 0x20 in
// JSON, but neither C1 controls nor what turns the direction of writing, and
// nothing at all in the messages of the console format. It writes one line a call.
type shownWriter struct{ io.Writer }

// Write writes one line of the log.
func (w shownWriter) Write(line []byte) (int, error) {
	if _, err := w.Writer.Write(safetext.Log(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Sync has nothing to do: what is written is not kept back.
func (w shownWriter) Sync() error { return nil }
