.DEFAULT_GOAL := help
FUZZTIME ?= 200000x
include .ci/versions

.PHONY: help
help: ## what can be made here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## the rollcall program, in this folder
	go build -trimpath -o rollcall ./cmd/rollcall

.PHONY: test
test: ## the tests that need nothing but Go
	go test ./...

.PHONY: check
check: ## formatting, vet, staticcheck and the tests
	@unformatted=$$(go run $(GOFUMPT) -l .); if [ -n "$$unformatted" ]; then echo "not formatted (run make format):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test ./...

.PHONY: format
format: ## format the code
	go run $(GOFUMPT) -w .

.PHONY: race
race: ## the tests with the race detector
	go test -race ./...

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME (200000x) executions each
	@.ci/fuzz $(FUZZTIME)

.PHONY: judges
judges: ## outside judges: DingTalk's SDK, nats.js, CloudEvents, AsyncAPI, Slack blocks, adaptive cards
	@.ci/judges/run

.PHONY: clients
clients: ## the clients in Python and TypeScript, against what verify-consumer says
	@.ci/clients

.PHONY: deploy
deploy: ## the image's parts, the manifests, the chart and the alerts' rules
	@.ci/deploy

.PHONY: alerts
alerts: ## every alert is made to fire by causing its reason (a quarter of an hour)
	@.ci/alerts

.PHONY: chaos
chaos: ## all attacks at once, for an hour: CHAOS=30m on one server and as long on three, SEED=1
	ROLLCALL_LONG=1 ROLLCALL_CHAOS=$(or $(CHAOS),30m) ROLLCALL_SEED=$(or $(SEED),$(shell date +%s)) go test ./cmd/rollcall/endtoend -run TestLongChaos -count=1 -timeout 6h -v

.PHONY: chaos-guards
chaos-guards: ## the attack on a program without one of its guards, which it must miss
	ROLLCALL_CHAOS_GUARDS=1 ROLLCALL_CHAOS=$(or $(CHAOS),100s) ROLLCALL_SEED=$(or $(SEED),3) go test ./cmd/rollcall/endtoend -run TestChaosMissesEachGuard -count=1 -timeout 2h -v

.PHONY: chaos-clocks
chaos-clocks: ## the attack, with workers whose clocks are set by up to an hour meanwhile
	ROLLCALL_CHAOS_CLOCKS=1 ROLLCALL_CHAOS=$(or $(CHAOS),5m) ROLLCALL_SEED=$(or $(SEED),$(shell date +%s)) go test ./cmd/rollcall/endtoend -run TestChaosWithSteppedClocks -count=1 -timeout 2h -v

.PHONY: postgres
postgres: ## the recipe of the audit log, in a PostgreSQL
	@.ci/postgres

.PHONY: release
release: ## what a release consists of, in dist: VERSION=v1.2.3
	@.ci/release "$(VERSION)" dist

.PHONY: bench
bench: ## what Rollcall costs, beside a plain script; BENCHFLAGS=-help tells how to measure a part
	go run ./bench $(BENCHFLAGS)

.PHONY: microbench
microbench: ## the benchmarks beside the code
	go test -run '^$$' -bench . -benchmem ./...

# It drains nodes, and deletes the namespace rollcall. KUBECTL, HELM_COMMAND and
# IMAGE_LOAD, which takes the tar of an image, are commands that reach the cluster;
# ROLLCALL_CLUSTER=required fails where there is none.
.PHONY: cluster-test
cluster-test: ## deploy, applied to a Kubernetes cluster and broken there: deploy/CLUSTER.md
	@.ci/cluster

.PHONY: module
module: ## rename the module, so that go get finds it: MODULE=host/owner/rollcall
	@.ci/module "$(MODULE)"

.PHONY: ci
ci: ## all that is checked before a change is taken
	.ci/run
