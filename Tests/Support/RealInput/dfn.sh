#!/usr/bin/env bash
# A filter network of the maintainers' shared pictures, from no weights at all, beside open_clip trained on the same pairs.
# usage: dfn.sh SHARED/data FOLDER PYTHON [SEED…]
# PYTHON has open_clip, torch, numpy, pyarrow and PyYAML; default seeds 1 2. PORT=8000 serves; for a quick look
# SETTINGS="samples=512 optimizer.warmup_steps=1" goes to both trainings. Prints their seconds, then the figures.
set -euo pipefail
data=$1 out=$2 python=$3 here=$(cd "$(dirname "$0")" && pwd) base=http://127.0.0.1:${PORT:-8000}
shift 3
seeds=("${@:-1}")
[ $# -gt 0 ] || seeds=(1 2)
source "$here/shared_web.sh"
weave matched
weave mismatched
weave_trusted

for seed in "${seeds[@]}"; do
  time "$pairloom" train "$here/../../../Manifests/filter-network.yaml" --folder "$out/net-$seed" \
    --set data="$out/trusted/dataset.json" --set seed="$seed" ${settings[@]+"${settings[@]}"} 2>"$out/net-$seed.log" || { cat "$out/net-$seed.log" >&2; exit 1; }
  if [ "$seed" = "${seeds[0]}" ]; then # what a user does with the network
    weave dirty --model "$out/net-$seed" --set filter.top_fraction=0.5
  fi
  mkdir -p "$out/scores/$seed"
  for run in matched mismatched dirty; do
    "$pairloom" score "$out/$run"/shards/*.tar.lz4 --model "$out/net-$seed" --out "$out/scores/$seed/$run.parquet" >"$out/score.log" 2>&1 \
      || { cat "$out/score.log" >&2; exit 1; }
  done
  "$python" "$here/../Peers/train_beside.py" "$out/net-$seed" "$out"/trusted/shards/*.tar.lz4 --seed "$seed" \
    --score "$out"/{matched,mismatched,dirty}/shards/*.tar.lz4 --out "$out/open_clip-$seed.csv"
done
"$python" "$here/../Peers/linear_baseline.py" "$out"/trusted/shards/*.tar.lz4 \
  --score "$out"/{matched,mismatched,dirty}/shards/*.tar.lz4 --out "$out/linear.csv"
"$python" "$here/dfn_figures.py" "$out" "${seeds[@]}"
