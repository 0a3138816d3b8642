#!/usr/bin/env bash
# A small CLIP of the maintainers' shared pictures beside open_clip: same pairs, model, samples and words.
# usage: real_pairs.sh SHARED/data FOLDER PYTHON [SEED…]
# PYTHON has open_clip, torch, numpy and PyYAML; default seeds 1 2 3. PORT=8000 serves; for a quick look
# SETTINGS="samples=512 optimizer.warmup_steps=1" goes to both trainings. Prints their seconds, then R@1, R@10 and AUC of
# pairs that neither saw, with bootstrapped intervals, beside a linear model's.
set -euo pipefail
data=$1 out=$2 python=$3 here=$(cd "$(dirname "$0")" && pwd) base=http://127.0.0.1:${PORT:-8000}
shift 3
seeds=("${@:-1}")
[ $# -gt 0 ] || seeds=(1 2 3)
source "$here/shared_web.sh"
weave matched
weave_trusted

for seed in "${seeds[@]}"; do
  time "$pairloom" train "$here/../../../Manifests/real-pairs.yaml" --folder "$out/clip-$seed" \
    --set data="$out/trusted/dataset.json" --set seed="$seed" ${settings[@]+"${settings[@]}"} 2>"$out/clip-$seed.log" || { cat "$out/clip-$seed.log" >&2; exit 1; }
  "$pairloom" embed "$out"/matched/shards/*.tar.lz4 --model "$out/clip-$seed" --out "$out/features-$seed" >"$out/embed.log" 2>&1 \
    || { cat "$out/embed.log" >&2; exit 1; }
  "$python" "$here/../Peers/train_beside.py" "$out/clip-$seed" "$out"/trusted/shards/*.tar.lz4 --seed "$seed" \
    --features "$out"/matched/shards/*.tar.lz4 --arrays "$out/open_clip-$seed.npz"
done
"$python" "$here/../Peers/linear_baseline.py" "$out"/trusted/shards/*.tar.lz4 \
  --score "$out"/matched/shards/*.tar.lz4 --arrays "$out/linear.npz"
"$python" "$here/retrieval_figures.py" "$out" "${seeds[@]}"
