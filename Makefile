# Thin: each target is one line; the work is done by Meson, Ninja and scripts/. `make help` lists them.
.DEFAULT_GOAL := build
.PHONY: build demo check check-services check-openapi determinism bench bench-peers interop fuzz check-long coverage lint format docs install help

build: ## build the program; leaves build/tally
	@scripts/build release tally && ln -sfn release/tally build/tally
demo: build ## build, then run twelve epochs on real prices (ARGS="--json" is passed on)
	@build/tally demo $(ARGS)
check: ## everything: lints, builds, tests, sanitizers, coverage, digests, fuzzing, proofs (under 40 minutes)
	@scripts/check
check-long: ## the same with long fuzzing and the slow lints (an hour or more)
	@scripts/check --long
check-services: build ## whole networks end to end: embedded stores; PostgreSQL, Redis and S3; workers that are killed
	@scripts/check services
determinism: ## the digest program in each flavour: FLAVOUR PATH SHA256, all equal or an error
	@scripts/determinism
bench: build ## measure beside NumPy and pandas; table, and build/bench.json
	@scripts/deps bench; scripts/bench
bench-peers: build ## measure beside the libraries of the field (empyrical, quantstats, arch)
	@scripts/deps bench; scripts/bench --peers
interop: build ## the real Python SDKs and Tally, both ways (virtual environments from PyPI)
	@scripts/deps check; scripts/build release && scripts/interop
check-openapi: build ## the served OpenAPI document against the running coordinator, and schemathesis (from PyPI) on it
	@tests/services/openapi.py
fuzz: ## each fuzz target for SECONDS (60)
	@scripts/fuzz $(or $(SECONDS),60)
coverage: ## line coverage of core; table in build/coverage/report.txt
	@scripts/coverage
lint: build ## every lint, one line each
	@scripts/lint
format: ## clang-format on every source that is not generated
	@git ls-files "*.c" "*.h" | grep -vE "/(tables|generated)/" | xargs clang-format-14 -i
docs: ## the library's reference from include/tally, in build/docs/html; warnings are errors
	@scripts/docs
install: build ## install the program, the library and its headers (DESTDIR and PREFIX as usual)
	@scripts/build release --prefix=$(or $(PREFIX),/usr/local) && meson install -C build/release $(if $(DESTDIR),--destdir $(DESTDIR))
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' Makefile | expand -t 18
