#!/usr/bin/env python3
"""R@1, R@10 and AUC of unseen pairs: pairloom's, open_clip's, a linear model's, with bootstrapped intervals.

usage: retrieval_figures.py FOLDER SEED…      (of real_pairs.sh; wants numpy)

R@k is the mean of both directions, over all unseen pairs; a tie counts as half a place. AUC is the chance that a pair scores
above a picture with another pair's caption (all of them). A seed's figure is averaged over the seeds; the interval is
the middle 95 % of 2,000 draws of the pairs, the same draws for all models, so that the difference has one of its own.
"""
import glob, sys

import numpy

folder, seeds = sys.argv[1], sys.argv[2:]
DRAWS = 2000


def arrays(path):
    found = numpy.load(path)
    return found["images"].astype(numpy.float64), found["texts"].astype(numpy.float64)


def ours(seed):
    parts = [
        numpy.concatenate([numpy.load(p) for p in sorted(glob.glob(f"{folder}/features-{seed}/{kind}_emb/*.npy"))])
        for kind in ("img", "text")]
    return parts[0].astype(numpy.float64), parts[1].astype(numpy.float64)


def figures(images, texts):
    """Per pair: a hit at 1 and at 10 (mean of both directions), and the share of other captions that it beats."""
    scores = images @ texts.T
    own = numpy.diag(scores)
    hits = []
    for k in (1, 10):
        both = []
        for matrix, match in ((scores, own[:, None]), (scores.T, own[:, None])):
            rank = 1 + (matrix > match).sum(1) + ((matrix == match).sum(1) - 1) / 2
            both.append(rank <= k)
        hits.append(numpy.mean(both, axis=0))
    others = scores[~numpy.eye(len(scores), dtype=bool)]
    others.sort()
    below = (numpy.searchsorted(others, own, "left") + numpy.searchsorted(others, own, "right")) / 2
    return numpy.array([*hits, below / len(others)])


models = {
    "pairloom": numpy.mean([figures(*ours(seed)) for seed in seeds], axis=0),
    "open_clip": numpy.mean([figures(*arrays(f"{folder}/open_clip-{seed}.npz")) for seed in seeds], axis=0),
    "linear": figures(*arrays(f"{folder}/linear.npz"))}
count = models["pairloom"].shape[1]
assert all(m.shape[1] == count for m in models.values()), {name: m.shape for name, m in models.items()}
models["pairloom − open_clip"] = models["pairloom"] - models["open_clip"]
picks = numpy.random.default_rng(1).integers(0, count, (DRAWS, count))
print(f"{count} unseen pairs, {len(seeds)} seed(s)\n")
print("| | R@1 | R@10 | AUC |\n|---|---|---|---|")
for name, values in models.items():
    cells = []
    for row, digits in zip(values, (2, 2, 4)):
        low, high = numpy.quantile(row[picks].mean(1), [0.025, 0.975])
        scale, unit = (100, " %") if digits == 2 else (1, "")
        cells.append(f"{row.mean() * scale:.{digits}f}{unit} ({low * scale:.{digits}f} to {high * scale:.{digits}f})")
    print(f"| {name} | " + " | ".join(cells) + " |")
