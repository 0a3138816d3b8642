#!/usr/bin/env bash
# The losses of 200 steps beside open_clip's: same weights, batches, pictures and words.
# usage: loss_curve.sh DATASET.json FOLDER PYTHON [SETTING…]
# DATASET.json is of `pairloom run`; PYTHON has open_clip, torch, numpy, safetensors and PyYAML; settings go to
# Manifests/small.yaml, which is taken without augmentation, 128 pairs a step. Prints the greatest difference as a share of
# open_clip's loss, and where it is; FOLDER/curve.csv has both curves.
set -euo pipefail
data=$1 out=$2 python=$3 here=$(cd "$(dirname "$0")" && pwd)
shift 3
release=$here/../../../.build/release manifest=$here/../../../Manifests/small.yaml
settings=(--set data="$data" --set augmentation=null --set samples=null --set steps=200 --set global_batch=128 --set log_every=1)
for setting in "$@"; do settings+=(--set "$setting"); done
mkdir -p "$out"
# A rate of 0 moves nothing: these are the weights that a run begins with.
"$release/pairloom" train "$manifest" --folder "$out/start" "${settings[@]}" --set optimizer.learning_rate=0 \
  --set optimizer.warmup_steps=0 --set steps=1 --quiet
"$release/pairloom" train "$manifest" --folder "$out/ours" "${settings[@]}" --set start_from="$out/start" --quiet
"$release/pairloom-bench" batches "$out/ours/manifest.yaml" >"$out/batches.jsonl"
"$python" "$here/../Peers/train_beside.py" "$out/ours" "$(dirname "$data")"/shards/*.tar.lz4 \
  --start "$out/start/model.safetensors" --batches "$out/batches.jsonl" --losses "$out/open_clip.jsonl"
"$python" - "$out" <<'PYTHON'
import json, sys

folder = sys.argv[1]
ours = {line["step"]: line["loss"] for line in map(json.loads, open(folder + "/ours/metrics.jsonl"))}
theirs = {line["step"]: line["loss"] for line in map(json.loads, open(folder + "/open_clip.jsonl"))}
assert ours.keys() == theirs.keys() and len(ours) > 1, (len(ours), len(theirs))
with open(folder + "/curve.csv", "w") as file:
    print("step,pairloom,open_clip", file=file)
    for step in sorted(ours):
        print(f"{step},{ours[step]!r},{theirs[step]!r}", file=file)
worst = max(ours, key=lambda step: abs(ours[step] / theirs[step] - 1))
print(f"{len(ours)} steps, loss {theirs[1]:.4f} to {theirs[max(theirs)]:.4f}; greatest difference "
      f"{abs(ours[worst] / theirs[worst] - 1):.5%} at step {worst} ({ours[worst]:.6f}, open_clip {theirs[worst]:.6f})")
PYTHON
