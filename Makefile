# Pairloom's commands. Each first installs by apt what is missing (see .ci/deps); Swift 6.3 and Debian 12
# are all that must be there before.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One configuration for the program and its tests: kernels are 100 times slower without optimisation.
BUILD := swift build -c release --explicit-target-dependency-import-check error
PAIRLOOM := .build/release/pairloom
DEMO ?= demo
FIGURES := .build/figures.jsonl
TIMED := '^(HTTPFetchTests|OriginLedgerTests)\.'
PROCESSES := '^pairloomTests\.(KillMatrix|Cooperation|Signal|FullDisk|Fault|RedoCommand|LedgerRecovery|QuarantineCommand|ImportCommand|FilterCommand|RunPlan|EmbedCommand|TrainingKill|TrainingFailure|TrainingWatch)Tests|^URLPipelineTests\.(RealisticRun|Clock)Tests'

# The folders of Tests/Fuzz with a target each, and the seconds that each is fuzzed.
FUZZ := ParquetFile CrawlPolicy ImageCodec PairDataset Lists PictureIndex WeightFiles EmbeddingFiles FilterPlans
SECONDS_EACH ?= 120

.PHONY: help deps build demo test test-long fuzz peers lint bench scorer docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

deps: ## install by apt what is missing
	@.ci/deps

build: deps ## build the program: .build/release/pairloom
	@$(BUILD) --product pairloom

demo: build ## the main job on a generated world: list → shards → filter → CLIP → figures, in demo/
	@$(PAIRLOOM) demo --folder $(DEMO)

test: deps lint peers ## lint, build and run every test, one small end-to-end run among them
	@$(BUILD) --build-tests
	@swift test -c release --skip-build --filter $(TIMED) # they measure time, so nothing runs beside them
	@swift test -c release --skip-build --no-parallel --filter $(PROCESSES) # they start and kill programs, or hold limits of time
	@swift test -c release --skip-build --skip $(TIMED) --skip $(PROCESSES)

test-long: test ## the long matrices too: 10 million rows, a million jobs, 600,000 damaged tables, 100,000 pictures, fuzzing, 1,000 kills, every operation of a run failing (hours)
	@PAIRLOOM_LONG=1 PAIRLOOM_LARGE=1 PAIRLOOM_PARQUET_MUTATIONS=600000 PAIRLOOM_PARQUET_FILES=400 PAIRLOOM_DECODE_MUTATIONS=100000 PAIRLOOM_SHARD_MUTATIONS=100000 \
	  swift test -c release --skip-build --filter 'LongListTests|ListMutationTests|HashBlocklist|HostList|ParquetFileTests|SandboxTests|ShardMutation|ImageCodecTests.MutationTests|DamagedShardTests|KillMatrixTests|FaultTests|LargeLedgerTests|LedgerRebuildTests|LedgerRecoveryTests|TrainingKillTests'
	@Tests/Fuzz/run.sh 30 $(FUZZ)

# libFuzzer and AddressSanitizer, in .build-fuzz: the flags reach no other build. What is found goes
# to .build-fuzz/found and fails the command; corpora grow in .build-fuzz/corpus from run to run.
fuzz: deps ## coverage-guided fuzzing of all that reads foreign bytes; SECONDS_EACH=120 FUZZ="ParquetFile …"
	@Tests/Fuzz/run.sh $(SECONDS_EACH) $(FUZZ)

peers: deps ## pyarrow and webdataset in .build/peers, against which tests hold our files; skipped without a network
	@Tests/Support/peers.sh || echo "peers: no pyarrow, no webdataset; the tests against them are skipped" >&2

lint: deps ## check the format of every Swift file, and that the README has every row that `make bench` writes
	@swift format lint --strict -r Sources Tests Package.swift
	@python3 Tests/Support/Peers/readme.py --check README.md

bench: deps ## benchmarks, one JSON line per figure; PEERS=PYTHON DATA=FOLDER [PHOTOGRAPHS=FOLDER] adds the peers, turn by turn, and rewrites the README's table
	@$(BUILD) --product pairloom-bench
	@.build/release/pairloom-bench all | tee $(FIGURES)
ifdef PEERS
	@$(BUILD) --product pairloom
	@Tests/Support/peers.sh
	@for what in clean hostile stalls; do \
	  python3 Tests/Support/Peers/download.py $$what --data $(DATA) --peer $(PEERS) $$([ $$what != clean ] || echo --keep .build/bench-shards); \
	done | tee -a $(FIGURES)
	@python3 Tests/Support/Peers/decode.py $(DATA)/corpus --peer $(PEERS) | tee -a $(FIGURES)
	@[ -z "$(PHOTOGRAPHS)" ] || python3 Tests/Support/Peers/decode.py $(PHOTOGRAPHS) --name photographs --peer $(PEERS) | tee -a $(FIGURES)
	@python3 Tests/Support/Peers/read_shards.py .build/bench-shards/*.tar.lz4 --peer $(PEERS) | tee -a $(FIGURES)
	@python3 Tests/Support/Peers/near_duplicates.py --make .build/bench-hashes.bin --peer $(PEERS)
	@python3 Tests/Support/Peers/near_duplicates.py .build/bench-hashes.bin --name uniform --peer $(PEERS) | tee -a $(FIGURES)
	@.build/release/pairloom-bench crop-hashes $(DATA)/corpus --out .build/bench-crops.bin
	@python3 Tests/Support/Peers/near_duplicates.py .build/bench-crops.bin --name crops --peer $(PEERS) | tee -a $(FIGURES)
	@python3 Tests/Support/Peers/score.py --data $(DATA)/corpus --peer $(PEERS) | tee -a $(FIGURES)
	@python3 Tests/Support/Peers/readme.py $(FIGURES) README.md
endif

scorer: build ## make the demo's bundled scorer anew from Manifests/scene-scorer.yaml (about 15 minutes)
	@$(PAIRLOOM) scene-scorer --manifest Manifests/scene-scorer.yaml --work .build/scorer --out Sources/CLibraries/CBundledFiles
	@touch Sources/CLibraries/CBundledFiles/bundled.c

docs: deps ## the documentation of every module, in .build/docs
	@$(BUILD) --scratch-path .build-docs -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc $(CURDIR)/.build-docs/symbols --product pairloom
	@rm -rf .build/docs && mkdir -p .build/docs
	@docc convert --additional-symbol-graph-dir .build-docs/symbols --fallback-display-name Pairloom --fallback-bundle-identifier pairloom --output-path .build/docs
	@echo "open .build/docs (serve it with: docc preview, or any web server)"

clean: ## remove what was built and the demo's folder
	@rm -rf .build .build-docs .build-fuzz $(DEMO)
