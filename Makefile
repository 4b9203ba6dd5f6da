# Each target is complete by itself: it installs what is missing first. `make help` lists them.

MAKEFLAGS += --no-print-directory
RUN := scripts/run

.DEFAULT_GOAL := help
.PHONY: help setup build dev serve test simulate lint audit fmt tz tz-check fuzz soak fuzz-http fuzz-api screenshots bench bench-start bench-isolate bench-pair bench-series bench-hostile bench-dashboard bench-search loadtest upgrade smoke size deploy clean

help: ## This list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## Install what is missing: Rust target, npm packages, build tools
	@scripts/setup.sh

build: ## Build the Worker into coordinator/build, and the dashboard into dashboard/dist
	@scripts/build.sh
	@scripts/dashboard.sh

dev: ## Run everything locally on http://localhost:8787 (PORT=...)
	@scripts/build.sh quick
	@scripts/dashboard.sh
	@scripts/dev.sh

serve: build ## The same for measuring: no development proxy (ARGS="--port 8787 --shards 16", ARGS=--help)
	@$(RUN) node scripts/serve.mjs $(ARGS)

test: build ## Run all tests
	@scripts/setup.sh tests
	@$(RUN) node scripts/test.mjs

lint: setup ## Formatting, circles of modules, subjects of commits, spelling, dependencies, clippy for host and wasm, documentation, TypeScript, the API's document
	$(RUN) cargo fmt --all --check
	python3 scripts/circles.py
	scripts/subjects.sh
	scripts/linters.sh
	$(RUN) cargo clippy --workspace --all-targets -- -D warnings
	$(RUN) cargo clippy -p coordinator --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(RUN) cargo doc --workspace --no-deps
	$(RUN) tsc -p examples/consumer
	@scripts/setup.sh tests
	$(RUN) tsc -p clients/typescript
	$(RUN) e2e/clients/node_modules/.bin/redocly lint --extends=recommended-strict --format=summary coordinator/openapi.json
	$(RUN) e2e/clients/node_modules/.bin/spectral lint --fail-severity=hint coordinator/openapi.json

audit: ## Look for known vulnerabilities of the dependencies
	@scripts/linters.sh advisories

fmt: setup ## Format the Rust code
	$(RUN) cargo fmt --all

simulate: setup ## Run the engine's simulation over many seeds (SEEDS=1000000 FROM=0)
	SIM_SEEDS=$(or $(SEEDS),1000000) SIM_FROM=$(or $(FROM),0) SIM_FAILURES=$(or $(FAILURES),100) $(RUN) cargo test -q --profile simulation -p scheduler-engine --test simulation -- --exact seeds --nocapture

tz: ## Take the newest release of the time zone database
	@python3 scripts/tz.py

tz-check: ## Say whether there is a newer release of the time zone database
	@python3 scripts/tz.py --check

fuzz: setup ## Fuzz every target for a while each, two at a time (SECONDS=600, ARGS="page cron")
	@scripts/fuzz.sh $(or $(SECONDS),600) $(ARGS)

soak: ## The long run: a million seeds of the simulation, ten minutes of each fuzz target (SEEDS=1000000 SECONDS=600)
	@$(MAKE) simulate
	@$(MAKE) fuzz

fuzz-http: build ## Send generated requests to the API for a while (SECONDS=600, SEED=1)
	@GRAMMAR_SECONDS=$(or $(SECONDS),600) GRAMMAR_SEED=$(or $(SEED),1) $(RUN) node --test --test-reporter=spec e2e/grammar.test.mjs

fuzz-api: build ## Hold the API against its document for a while (SECONDS=600, SEED=1)
	@scripts/setup.sh tests
	@API_FUZZ_SECONDS=$(or $(SECONDS),600) API_FUZZ_SEED=$(or $(SEED),random) $(RUN) node --test --test-reporter=spec e2e/schemathesis.test.mjs

screenshots: build ## Pictures of every page of the dashboard, into screenshots/ (ARGS="tasks create")
	@scripts/setup.sh tests
	@$(RUN) node e2e/browser/screenshots.mjs $(ARGS)

bench: setup ## Criterion benchmarks of the hot paths (ARGS=filter)
	$(RUN) cargo bench -p benches -- $(ARGS)

bench-start: build ## Start of a shard with a million tasks in the runtime (ARGS="--tasks N --rounds N")
	@$(RUN) node benches/start.mjs $(ARGS)

bench-isolate: build ## Memory of full shards in one isolate (ARGS="--shards 8 --tasks 1000000 --megabytes 2000")
	@$(RUN) node benches/isolate.mjs $(ARGS)

bench-pair: build ## CPU of bulk creates here against another built checkout (BASE=../other, ARGS="--rounds N")
	@$(RUN) node benches/pair.mjs $(ARGS) $(BASE) .

bench-series: build ## CPU of a firing with and without series in the state (ARGS="--rounds 5 --firings 200 --tasks 6")
	@$(RUN) node --no-warnings benches/series.mjs $(ARGS)

bench-hostile: build ## CPU and memory of hostile requests at another commit and now (BASE=commit, ARGS="--only tags")
	@base=$$(scripts/built.sh $(BASE)) && $(RUN) node benches/hostile.mjs $(ARGS) $$base .

bench-search: build ## Pages of searches over a million tasks (ARGS="--tasks N --shards N --pages N")
	@$(RUN) node benches/search.mjs $(ARGS)

bench-dashboard: build ## A list of a million tasks in the browser (ARGS="--tasks N --rows N")
	@scripts/setup.sh tests
	@$(RUN) node benches/dashboard.mjs $(ARGS)

loadtest: build ## Load test against a server of its own (SCENARIO=smoke, ARGS="...")
	@$(RUN) node scripts/loadtest.mjs $(or $(SCENARIO),smoke) $(ARGS)

upgrade: build ## Deploy this version over another commit's under load, and back (BASE=commit)
	@base=$$(scripts/built.sh $(BASE)) && UPGRADE_FROM=$$base/coordinator/build $(RUN) node --test --test-reporter=spec e2e/upgrade.test.mjs

# It builds only if it deploys: with a confirmation and an account, and not for --help or --remove.
SMOKE_DEPLOYS = $(and $(filter --yes,$(ARGS)),$(CLOUDFLARE_API_TOKEN),$(CLOUDFLARE_ACCOUNT_ID),$(if $(filter --help --remove,$(ARGS)),,yes))

smoke: $(if $(SMOKE_DEPLOYS),build) ## Measure a copy on your Cloudflare account, and remove it (ARGS=--help for the options, ARGS=--yes to begin)
	@$(RUN) node scripts/smoke.mjs $(ARGS)

size: build ## Size of the wasm, gzip
	@gzip -9c coordinator/build/index_bg.wasm | wc -c | awk '{ printf "%.0f kB gzip\n", $$1 / 1000 }'

deploy: build ## Deploy to your Cloudflare account (STAGE=staging, CONFIG=examples/consumer/wrangler.toml)
	@STAGE="$(STAGE)" CONFIG="$(CONFIG)" scripts/deploy.sh

clean: ## Remove what was built and installed in the checkout, local storage included
	rm -rf target coordinator/build node_modules e2e/mcp/node_modules e2e/clients/node_modules e2e/clients/generated clients/typescript/node_modules clients/typescript/test/agents/node_modules clients/typescript/test/runtimes/node_modules clients/typescript/dist clients/typescript/dashboard clients/typescript/prebuilt/index.js clients/typescript/prebuilt/index_bg.wasm .wrangler examples/*/.wrangler
	rm -rf dashboard/dist dashboard/generated dashboard/node_modules e2e/browser/node_modules
