# Nacre: `make run` starts a node, `make test` runs all tests. Both install what they need (Debian packages).

SHELL := /bin/bash
PREFIX ?= /usr/local
DIR ?= .
BUILD := .build/release
NACRE := $(BUILD)/nacre
SECONDS_PER_TARGET ?= 300

.PHONY: sync-soak simulate help setup build run demo test full-test lint format bench http-bench soak fuzz install uninstall clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install the Debian packages that building needs (once)
	@scripts/install-packages.sh build

build: setup ## Build the optimised binary at .build/release/nacre
	swift build -c release --product nacre

run: build ## Start the node on loopback (data in NACRE_DATA, else ~/.local/share/nacre)
	@exec "$(NACRE)" serve --welcome

demo: build ## Add DIR (default: this folder) to a data directory, list it, read it back, verify it
	@scripts/first-run.sh "$(NACRE)" "$(DIR)"

test: ## Install what tests need, run every test
	@scripts/install-packages.sh build test
	@scripts/test.sh

full-test: ## The long forms: slow vectors, 10^5 model steps, 300 kills, an hour of memory checks
	@scripts/install-packages.sh build test
	@NACRE_FULL_TESTS=1 scripts/test.sh

lint: ## Check formatting; fails on any finding
	swift format lint --strict --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources

format: ## Format the sources in place
	swift format --in-place --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources

bench: build ## Compare with cp, openssl, restic, borg, casync and git-annex in one run
	@scripts/install-packages.sh build bench
	bench/compare.sh

http-bench: build ## Compare the gateway with nginx in one run
	@scripts/install-packages.sh http-bench
	bench/http.sh

soak: build ## Everything at once for SECONDS (an hour): every byte right, nothing lost, memory flat
	@scripts/soak.sh "$(NACRE)" $(or $(SECONDS),3600) $(SOAK)

sync-soak: build ## Folders that are edited and killed for SECONDS (ten minutes): equal in the end, nothing lost
	@python3 -B scripts/sync-soak --seconds $(or $(SECONDS),600) $(SOAK) "$(NACRE)" "$$(mktemp -d)"

simulate: ## Simulate sync with SEEDS seeds (a million) from START (1)
	@scripts/install-packages.sh build
	NACRE_SIMULATION_SEEDS=$(or $(SEEDS),1000000) NACRE_SIMULATION_START=$(or $(START),1) \
		swift test -c release -Xswiftc -enable-testing --filter SimulationTests

fuzz: ## Fuzz every decoder for SECONDS_PER_TARGET seconds each
	@scripts/install-packages.sh build
	Fuzz/run.sh $(SECONDS_PER_TARGET)

install: build ## Install binary, completions and man page under PREFIX (default /usr/local)
	@scripts/install.sh "$(NACRE)" "$(DESTDIR)$(PREFIX)"

uninstall: ## Remove what install put under PREFIX
	@scripts/install.sh --remove "$(DESTDIR)$(PREFIX)"

clean: ## Remove build products
	rm -rf .build Fuzz/.build
