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

// forewarn says once of each tenant whose schedule asks more than its calls
// suffice for that it will be asked less often, and which schedule would do.
func forewarn(tenants []config.Tenant, log *zap.Logger) {
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
		log.Warn("the schedule takes more calls than monthly_calls: it is the fastest that is asked, and mostly slower",
			zap.String("tenant", t.Name), zap.String("schedule", plan.Schedule.String()), zap.Int64("takes", costs.Clock),
			zap.Int64("monthly_calls", plan.Calls), zap.String("mend", plan.Fitting(costs)))
	}
}
