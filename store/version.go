package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// version is a version of nats-server without what follows a hyphen.
type version [3]int

// oldest is the first server whose atomic batches can be relied on; up to
// 2.14.3 one could be stored in part after a change of leader.
func oldest() version { return version{2, 14, 4} }

// checkServer refuses a server on which the promises do not hold.
func checkServer(reported string, logger *zap.Logger) error {
	if reported == "" {
		return fmt.Errorf("not connected to NATS: %w", nats.ErrDisconnected)
	}
	v, err := parseVersion(reported)
	if err != nil {
		return err
	}
	if v.before(oldest()) {
		return fmt.Errorf("nats-server %s is too old: up to 2.14.3 an atomic batch may be stored in part after a change of leader; "+
			"upgrade every server to 2.14.4 or newer, 2.15 is recommended", reported)
	}
	if v.before(version{2, 15, 0}) {
		logger.Warn("nats-server works but is not the recommended 2.15", zap.String("version", reported))
	}
	return nil
}

func parseVersion(text string) (v version, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), "-")
	parts := strings.Split(core, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("read the version of nats-server: %.64q is none", text)
	}
	for i, part := range parts {
		if v[i], err = strconv.Atoi(part); err != nil {
			return v, fmt.Errorf("read the version of nats-server: %.64q is none", text)
		}
	}
	return v, nil
}

func (v version) before(o version) bool {
	for i := range v {
		if v[i] != o[i] {
			return v[i] < o[i]
		}
	}
	return false
}
