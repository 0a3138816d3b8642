# For scripts here, with `source`: serves the maintainers' shared pictures, and weaves lists of them into runs.
# Wants data, out, here and base; PORT=8000 serves.
pairloom=$here/../../../.build/release/pairloom
mkdir -p "$out"
python3 "$data/serve.py" --root "$data/corpus" --port "${PORT:-8000}" >"$out/web.log" 2>&1 &
web=$!
trap 'kill -9 $web' EXIT
until python3 -c "import urllib.request as u; u.urlopen('$base/_health')" 2>/dev/null; do
  kill -0 $web 2>/dev/null || { cat "$out/web.log" >&2; exit 1; } # such as a port in use
  sleep 0.2
done
python3 "$here/dfn_lists.py" "$data" "$base" "$out/lists"

weave() { # NAME, further options
  "$pairloom" run urls --folder "$out/$1" --set input="$out/lists/$1.csv" --set allow_addresses=[127.0.0.0/8] \
    "${@:2}" 2>"$out/$1.log" || { cat "$out/$1.log" >&2; exit 1; }
}

weave_trusted() { # no picture that is learned from looks like an unseen one, and few stand under one caption
  weave trusted --set "duplicates.evaluation_sets=[$out/matched/duplicates/pictures.index]" \
    --set duplicates.scope=pair --set duplicates.caption_limit=8
}

settings=()
for setting in ${SETTINGS:-}; do settings+=(--set "$setting"); done
TIMEFORMAT="pairloom's training: %R s, %U s of processor time"
