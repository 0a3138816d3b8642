#!/usr/bin/env bash
# usage: run.sh SECONDS NAME…   fuzzes each target (a folder beside this file) for that long
# Corpora grow in .build-fuzz/corpus/NAME from run to run; what was found stays in .build-fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1; shift
export PAIRLOOM_FUZZ=1
# Swift's own report of a trap takes seconds, and the sanitizer's says the same.
export SWIFT_BACKTRACE=enable=no
scratch=.build-fuzz; found=$scratch/found
mkdir -p "$found"
# Inputs for readers that take a path: in memory where there is such a folder.
temporary=$([ -d /dev/shm ] && mktemp -d -p /dev/shm pairloom-fuzz.XXXXXX || mktemp -d)
trap 'rm -rf "$temporary"' EXIT
status=0
for name in "$@"; do
  unset TMPDIR
  swift build -c release --scratch-path "$scratch" --product "Fuzz$name"
  corpus=$scratch/corpus/$name
  mkdir -p "$corpus"
  program=$scratch/release/Fuzz$name
  export TMPDIR=$temporary
  PAIRLOOM_FUZZ_SEEDS=$corpus "$program" >/dev/null
  # The tests' own files are read, and only the corpus is written to.
  fixtures=()
  for folder in Tests/*/"$name"/Fixtures; do [ -d "$folder" ] && fixtures+=("$folder"); done
  "$program" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -malloc_limit_mb=512 -artifact_prefix="$found/$name-" -print_final_stats=1 -verbosity=1 \
    "$corpus" "${fixtures[@]}" >"$scratch/$name.log" 2>&1 || status=$?
  grep -E "^(stat::number_of_executed_units|SUMMARY)|Test unit written|^Done" "$scratch/$name.log" \
    | sed "s/^/$name: /" || true
done
[ "$status" = 0 ] || { echo "fuzz: see $found and $scratch/NAME.log" >&2; exit 1; }
