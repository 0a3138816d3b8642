# Pairloom's commands. Each first installs by apt what is missing (see .ci/deps); Swift 6.3 and Debian 12
# are all that must be there before.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One configuration for the program and its tests: kernels are 100 times slower without optimisation.
BUILD := swift build -c release --explicit-target-dependency-import-check error
PAIRLOOM := .build/release/pairloom
DEMO ?= demo

.PHONY: help deps build demo test lint bench scorer docs clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

deps: ## install by apt what is missing
	@.ci/deps

build: deps ## build the program: .build/release/pairloom
	@$(BUILD) --product pairloom

demo: build ## the main job on a generated world: list → shards → filter → CLIP → figures, in demo/
	@$(PAIRLOOM) demo --folder $(DEMO)

test: deps lint ## lint, build and run every test, one small end-to-end run among them
	@$(BUILD) --build-tests
	@swift test -c release --skip-build

lint: deps ## check the format of every Swift file
	@swift format lint --strict -r Sources Tests Package.swift

bench: deps ## benchmarks that need no peer, one JSON line per figure
	@$(BUILD) --product pairloom-bench
	@.build/release/pairloom-bench all

scorer: build ## make the demo's bundled scorer anew from Manifests/scene-scorer.yaml (about 15 minutes)
	@$(PAIRLOOM) scene-scorer --manifest Manifests/scene-scorer.yaml --work .build/scorer --out Sources/CLibraries/CBundledFiles
	@touch Sources/CLibraries/CBundledFiles/bundled.c

docs: deps ## the documentation of every module, in .build/docs
	@$(BUILD) --scratch-path .build-docs -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc $(CURDIR)/.build-docs/symbols --product pairloom
	@rm -rf .build/docs && mkdir -p .build/docs
	@docc convert --additional-symbol-graph-dir .build-docs/symbols --fallback-display-name Pairloom --fallback-bundle-identifier pairloom --output-path .build/docs
	@echo "open .build/docs (serve it with: docc preview, or any web server)"

clean: ## remove what was built and the demo's folder
	@rm -rf .build .build-docs $(DEMO)
