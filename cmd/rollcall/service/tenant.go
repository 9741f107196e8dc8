package service

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"rollcall/cmd/rollcall/config"
	"rollcall/poller"
	"rollcall/poller/dingtalk"
	"rollcall/worker"
)

// openTenant makes the client and the poller of one organization.
func openTenant(t config.Tenant, egress *poller.Egress, metrics *pollMetrics, log *zap.Logger) (worker.Tenant, *dingtalk.Client, error) {
	schedule, err := poller.ParseSchedule(t.Poll.Schedule, t.Poll.Timezone)
	if err != nil {
		return worker.Tenant{}, nil, err
	}
	client, err := dingtalk.New(dingtalk.Config{
		Endpoint: t.Endpoint, Auth: auth(t.Auth), Timeout: t.Poll.Timeout, Logger: log.With(zap.String("tenant", t.Name)),
	})
	if err != nil {
		return worker.Tenant{}, nil, err
	}
	if err := readable(t.Auth); err != nil {
		client.Close()
		return worker.Tenant{}, nil, err
	}
	limit := poller.Evenly(t.Poll.QPS)
	return worker.Tenant{
		Name: t.Name, Schedule: schedule, Decode: client.Decode,
		Asker: &poller.Poller{
			Source: client, Tenant: t.Name, Endpoint: client.Endpoint(), BatchSize: t.Poll.BatchSize,
			Limiter: limit,
			Egress:  egress, Logger: log, Metrics: metrics.of(t.Name),
		},
		BatchSize: t.Poll.BatchSize, Shards: t.Poll.Shards, Conferences: t.Track.Conferences,
		MissingAfter: t.Poll.MissingAfterPolls, ExpireUnstarted: t.Poll.ExpireUnstarted,
		OmitNicks: t.Privacy.Nicks == "omit",
		Holds: func(held, shards int) {
			limit.SetLimit(rate.Limit(t.Poll.QPS * float64(max(held, 1)) / float64(shards)))
		},
	}, client, nil
}

// egressLimiter allows a second's calls at once where tenants begin together,
// and nowhere more than DingTalk takes from one address within 20 s. What was
// allowed may be made 0.2 s later.
func egressLimiter(qps float64) *rate.Limiter {
	const most, window, fastest = 10_000, 20.2, 490
	qps = min(qps, fastest)
	return rate.NewLimiter(rate.Limit(qps), max(1, int(min(math.Ceil(qps), most-window*qps))))
}

func auth(a config.Auth) dingtalk.Auth {
	out := dingtalk.Auth{
		Kind: dingtalk.Kind(a.Kind), ClientID: a.ClientID, CorpID: a.CorpID, SuiteKey: a.SuiteKey,
		ClientSecret: clientSecret(a),
	}
	if a.SuiteSecretFile != "" {
		out.SuiteSecret = dingtalk.FileSecret(a.SuiteSecretFile)
	}
	if a.SuiteTicketFile != "" {
		out.SuiteTicket = dingtalk.FileSecret(a.SuiteTicketFile)
	}
	return out
}

func clientSecret(a config.Auth) dingtalk.Secret {
	switch {
	case a.ClientSecretFile != "":
		return dingtalk.FileSecret(a.ClientSecretFile)
	case a.ClientSecretEnv != "":
		return dingtalk.EnvSecret(a.ClientSecretEnv)
	}
	return nil
}

// readable reads each secret once, so that a start without one fails at once
// and not at the first question.
func readable(a config.Auth) error {
	var problems []error
	for key, secret := range map[string]dingtalk.Secret{
		"auth.client_secret": clientSecret(a),
		"auth.suite_secret":  auth(a).SuiteSecret,
		"auth.suite_ticket":  auth(a).SuiteTicket,
	} {
		if secret == nil {
			continue
		}
		if _, err := secret(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(problems...)
}

// pollMetrics are the figures of the questions.
type pollMetrics struct {
	calls   *prometheus.CounterVec   // tenant, operation, class
	seconds *prometheus.HistogramVec // tenant, operation
	held    *prometheus.GaugeVec     // tenant, class
	batch   *prometheus.GaugeVec     // tenant
	apart   *prometheus.GaugeVec     // tenant
}

func newPollMetrics(registry *prometheus.Registry) *pollMetrics {
	m := &pollMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "rollcall", Name: "calls_total",
			Help: "Metered calls of DingTalk, by operation and by the class of their fault (none: answered).",
		},
			[]string{"tenant", "operation", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "rollcall", Name: "call_duration_seconds",
			Help: "How long calls of DingTalk took.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 13),
		},
			[]string{"tenant", "operation"}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "held_until_timestamp_seconds",
			Help: "Until when no call is made, because DingTalk refuses them.",
		}, []string{"tenant", "class"}),
		batch: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "batch_meetings",
			Help: "Meetings that one call asks about at most: poll.batch_size, or less where DingTalk was found to refuse as many.",
		}, []string{"tenant"}),
		apart: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "rollcall", Name: "quarantined_meetings",
			Help: "Meetings that DingTalk refuses by themselves, and that are asked about less often.",
		}, []string{"tenant"}),
	}
	registry.MustRegister(m.calls, m.seconds, m.held, m.batch, m.apart)
	return m
}

func (m *pollMetrics) of(tenant string) poller.Metrics {
	return poller.Metrics{
		Called: func(op string, class poller.Class, took time.Duration) {
			word := class.String()
			if class == poller.ClassNone {
				word = "none"
			}
			m.calls.WithLabelValues(tenant, op, word).Inc()
			m.seconds.WithLabelValues(tenant, op).Observe(took.Seconds())
		},
		Held: func(class poller.Class, until time.Time) {
			if until.IsZero() { // an operator has ended it
				m.held.DeleteLabelValues(tenant, class.String())
				return
			}
			m.held.WithLabelValues(tenant, class.String()).Set(float64(until.Unix()))
		},
		Passed: func(batchLimit, quarantined int) {
			m.batch.WithLabelValues(tenant).Set(float64(batchLimit))
			m.apart.WithLabelValues(tenant).Set(float64(quarantined))
		},
	}
}
