#!/usr/bin/env python3
"""What filter networks are worth, ours, open_clip's and a linear one, on pairs of known truth (wants pyarrow and numpy).

usage: dfn_figures.py FOLDER SEED…      FOLDER as dfn.sh leaves it

AUC: the chance that a matched pair has a higher cosine than one whose caption is another picture's. Each unseen
picture stands once among both. Intervals hold 95 of 100 of 2,000 samples of pictures, drawn with replacement, the mean
over the seeds taken in each; that of the difference draws the same pictures for both sides. Then the dirty list: the share of wrong
captions before and after the best half by cosine is kept, which for our first seed is what `pairloom run` kept.
"""
import csv, glob, json, sys

import numpy, pyarrow.parquet

folder, seeds = sys.argv[1], sys.argv[2:]
SIDES = {"pairloom": seeds, "open_clip": seeds, "linear": [""]}


def rows(pattern):
    return [row for path in sorted(glob.glob(f"{folder}/{pattern}")) for row in pyarrow.parquet.read_table(path).to_pylist()]


def pictures(run):
    """key → what names the pair in every run: the URL, or the list's row."""
    return {row["key"]: row for row in rows(run + "/shards/*.parquet") if row["reason"] is None}


runs = {run: pictures(run) for run in ("matched", "mismatched", "dirty")}


def scores(side, seed):
    """run → {key: cosine}"""
    if side == "pairloom":
        return {run: {row["key"]: row["score"] for row in rows(f"scores/{seed}/{run}.parquet")} for run in runs}
    found = {run: {} for run in runs}
    for row in csv.DictReader(open(f"{folder}/{side}{seed and '-' + seed}.csv")):
        found[row["shard"].split("/")[-3]][row["key"]] = float(row["score"])
    return found


def auc(positive, negative):
    """Mann and Whitney's statistic; a tie counts half."""
    negative = numpy.sort(negative)
    below = numpy.searchsorted(negative, positive, "left") + numpy.searchsorted(negative, positive, "right")
    return below.mean() / 2 / len(negative)


everything = {(side, seed): scores(side, seed) for side in SIDES for seed in SIDES[side]}
place = {run: {row["url"]: key for key, row in runs[run].items()} for run in ("matched", "mismatched")}
urls = sorted(place["matched"].keys() & place["mismatched"].keys())


def of_urls(side, seed, run):
    return numpy.array([everything[side, seed][run][place[run][url]] for url in urls])


positive = {key: of_urls(*key, "matched") for key in everything}
negative = {key: of_urls(*key, "mismatched") for key in everything}
random = numpy.random.default_rng(1)
draws = [random.integers(0, len(urls), len(urls)) for _ in range(2000)]
drawn = {
    side: numpy.array([numpy.mean([auc(positive[side, s][d], negative[side, s][d]) for s in SIDES[side]]) for d in draws])
    for side in SIDES
}
print(f"{len(urls)} unseen pictures, each once with its own caption and once with another's; seeds {' '.join(seeds)}")
figures = {"unseen": len(urls), "seeds": len(seeds)}
for side in SIDES:
    each = [auc(positive[side, s], negative[side, s]) for s in SIDES[side]]
    low, high = numpy.percentile(drawn[side], [2.5, 97.5])
    print(f"{side:10} AUC {numpy.mean(each):.3f} ({low:.3f} to {high:.3f})" + (", by seed " if len(each) > 1 else "")
          + " ".join(f"{x:.3f}" for x in each if len(each) > 1))
    figures[side] = {"auc": float(numpy.mean(each)), "low": float(low), "high": float(high)}
for side in ("open_clip", "linear"):
    low, high = numpy.percentile(drawn["pairloom"] - drawn[side], [2.5, 97.5])
    ahead = figures["pairloom"]["auc"] - figures[side]["auc"]
    print(f"pairloom less {side} {ahead:+.3f} ({low:+.3f} to {high:+.3f})")
    figures[side]["behind"] = {"auc": ahead, "low": float(low), "high": float(high)}

truth = [json.loads(line) for line in open(folder + "/lists/dirty.truth.jsonl", encoding="utf-8")]
wrong = {key: not truth[row["row"]]["caption_match"] for key, row in runs["dirty"].items()}
kept = {row["key"] for row in rows("dirty/filtered/verdicts/*.parquet") if row["drop"] is None}
print(f"\nthe dirty list: {len(wrong)} pairs, {sum(wrong.values()) / len(wrong):.1%} with a wrong caption")
for side in SIDES:
    of = everything[side, SIDES[side][0]]["dirty"]
    chosen = set(sorted(wrong, key=lambda key: (-of[key], key))[:len(kept)])
    if side == "pairloom" and chosen != kept:
        sys.exit("pairloom run kept other pairs than its scores say")
    left = sum(wrong[key] for key in chosen)
    dropped = len(wrong) - len(chosen)
    found = sum(wrong.values()) - left
    area = auc(numpy.array([of[k] for k in wrong if not wrong[k]]), numpy.array([of[k] for k in wrong if wrong[k]]))
    print(f"{side:10} keeps {len(chosen)}, {left / len(chosen):.1%} of them wrong; of {dropped} dropped {found / dropped:.1%} are; "
          f"finds {found / sum(wrong.values()):.1%} of all; AUC {area:.3f}")
    figures[side]["dirty"] = {"before": sum(wrong.values()) / len(wrong), "after": left / len(chosen), "recall": found / sum(wrong.values()), "auc": float(area)}
print(json.dumps(figures))
