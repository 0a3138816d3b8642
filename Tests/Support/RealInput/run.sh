#!/usr/bin/env bash
# The real pictures of the maintainers' shared folder, from a list with known faults to a trained CLIP.
# usage: run.sh SHARED/data FOLDER [PYTHON with pyarrow and webdataset]     ports: 8000; about 20 minutes on 2 cores
set -euo pipefail
data=$1 out=$2 python=${3:-python3} here=$(cd "$(dirname "$0")" && pwd) base=http://127.0.0.1:8000
pairloom=$here/../../../.build/release/pairloom
mkdir -p "$out"
python3 "$data/serve.py" --root "$data/corpus" --root "$data/variants" --root "$data/exotic" --port 8000 &
web=$!
trap 'kill -9 $web' EXIT
until python3 -c "import urllib.request as u; u.urlopen('$base/_health')" 2>/dev/null; do sleep 0.2; done
python3 "$data/make_lists.py" -n 4500 --preset realistic --base $base --formats csv --out "$out/real" >"$out/real.log"

"$pairloom" run urls --folder "$out/run" --set input="$out/real.csv" --set allow_addresses=[127.0.0.0/8] --workers 2
"$python" "$here/fates.py" "$out/run" "$out/real.truth.jsonl"
lz4 -dc "$out/run/shards/00000.tar.lz4" | tar t | sed -n 1,3p
if "$python" -c 'import webdataset' 2>/dev/null; then "$python" "$here/iterate.py" "$out"/run/shards/*.tar.lz4; fi

"$python" "$here/unseen.py" "$data/corpus" "$out/run" "$out/real.truth.jsonl" $base "$out/unseen.csv"
"$pairloom" run urls --folder "$out/unseen" --set input="$out/unseen.csv" --set allow_addresses=[127.0.0.0/8] 2>/dev/null
"$pairloom" train small --folder "$out/clip" --set data="$out/run/dataset.json" --set ranks=2
"$pairloom" evaluate retrieval --model "$out/clip" --data "$out/unseen/dataset.json"
