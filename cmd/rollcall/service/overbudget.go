package service

import (
	"context"
	"time"

	"go.uber.org/zap"

	"rollcall/cmd/rollcall/config"
	"rollcall/cmd/rollcall/cost"
)

// counting bounds how long a start counts what schedules cost.
const counting = 2 * time.Second

// warnIfOverBudget logs each tenant whose schedule takes more than its calls of a
// month, with the schedules that they suffice for.
func warnIfOverBudget(tenants []config.Tenant, log *zap.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), counting)
	defer cancel()
	for _, t := range tenants {
		plan, err := cost.Of(t)
		if err != nil || plan.Calls == 0 {
			continue // what is wrong is refused elsewhere
		}
		costs, err := plan.Costs(ctx, time.Now())
		if err != nil || plan.Fits(costs) {
			continue
		}
		log.Warn("schedule takes more calls than monthly_calls; meetings are asked about less often",
			zap.String("tenant", t.Name), zap.String("schedule", plan.Schedule.String()), zap.Int64("takes", costs.Clock),
			zap.Int64("monthly_calls", plan.Calls), zap.String("fix", plan.Fitting(costs)))
	}
}
