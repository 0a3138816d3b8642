#!/usr/bin/env python3
"""Lists the pictures of the shared corpus that a run never kept, with their captions, for an evaluation.

usage: unseen.py CORPUS RUN TRUTH.jsonl BASE OUT.csv (wants pyarrow)

A picture counts as seen when the run kept it, a near-duplicate made of it, or another picture of its
group of natural look-alikes. One caption per picture; no caption twice, for equal captions cannot be told apart.
"""
import csv, glob, json, sys
from urllib.parse import quote

import pyarrow.parquet

corpus, run, truth, base, out = sys.argv[1:6]
truth = [json.loads(line) for line in open(truth, encoding="utf-8")]
kept = set()
for path in glob.glob(run + "/shards/*.parquet"):
    for fate in pyarrow.parquet.read_table(path, columns=["row", "reason"]).to_pylist():
        if fate["reason"] is None:
            kept.add(fate["row"])
seen = {t["picture"] for t in truth if t["row"] in kept}
pictures = [json.loads(line) for line in open(corpus + "/captions.jsonl", encoding="utf-8")]
groups = {p.get(k) for p in pictures if p["path"] in seen for k in ("natural_group", "lookalike_group")} - {None, ""}
captions = set()
with open(out, "w", encoding="utf-8", newline="") as f:
    table = csv.writer(f)
    table.writerow(["url", "caption"])
    for p in pictures:
        if p["path"] in seen or {p.get("natural_group"), p.get("lookalike_group")} & groups:
            continue
        if p["caption"] in captions:
            continue
        captions.add(p["caption"])
        table.writerow([f"{base}/ok/{quote(p['path'])}", p["caption"]])
print(f"{len(captions)} unseen pictures in {out}")
