#!/usr/bin/env python3
"""Scores pairs by a linear model without any network: ridge CCA from gradients and colours to hashed words.

usage: linear_baseline.py SHARD… --score SHARD… [--out SCORES.csv] [--arrays FILE.npz]   (wants numpy and Pillow)

A picture is its gradients by direction in 8 × 8 cells, its colours in 8 × 8 pixels, and a histogram of 64
colours; a caption its words and their beginnings, hashed to 2,048 places and weighed by rarity. Both are whitened with
a ridge and turned so that they agree most; the score is the cosine in the first 128 directions. Learns from the shards that
come first, with its constants as they are. SCORES.csv has shard, key and score; FILE.npz `images` and `texts`, rows of
length one in those directions.
"""
import argparse, csv, re, zlib

import numpy

from shard_pairs import pairs

options = argparse.ArgumentParser()
options.add_argument("shards", nargs="+")
options.add_argument("--score", nargs="+", required=True)
options.add_argument("--out")
options.add_argument("--arrays")
options = options.parse_args()
PLACES, RIDGE, DIRECTIONS = 2048, 0.1, 128


def of_picture(picture):
    picture = picture.resize((64, 64))
    grey = numpy.asarray(picture.convert("L"), dtype=float) / 255
    across, down = numpy.gradient(grey)
    bins = ((numpy.arctan2(down, across) + numpy.pi) / (2 * numpy.pi) * 8).astype(int) % 8
    strength = numpy.hypot(across, down)
    gradients = numpy.stack([(strength * (bins == b)).reshape(8, 8, 8, 8).sum((1, 3)) for b in range(8)])
    small = numpy.asarray(picture.resize((8, 8)), dtype=float) / 255
    levels = numpy.asarray(picture).reshape(-1, 3) // 64
    colours = numpy.bincount(levels @ [16, 4, 1], minlength=64) / len(levels)
    return numpy.concatenate([numpy.sqrt(gradients.ravel()), small.ravel(), numpy.sqrt(colours)])


def of_caption(caption):
    values = numpy.zeros(PLACES)
    for word in re.findall(r"\w+", caption.lower()):
        for part in {word, word[:5]}:
            values[zlib.crc32(part.encode()) % PLACES] = 1
    return values


def features(shards):
    found = [(path, key, of_picture(p), of_caption(c)) for path in shards for key, p, c in pairs(path)]
    return found, numpy.array([f[2] for f in found]), numpy.array([f[3] for f in found])


_, x, y = features(options.shards)
means = x.mean(0), x.std(0) + 1e-6
rarity = numpy.log(len(y) / (1 + y.sum(0)))
x, y = (x - means[0]) / means[1], y * rarity
middle = y.mean(0)
y = y - middle


def whitening(values):
    covariance = values.T @ values / len(values)
    ridge = RIDGE * numpy.trace(covariance) / len(covariance)
    return numpy.linalg.inv(numpy.linalg.cholesky(covariance + ridge * numpy.eye(len(covariance)))).T


left, right = whitening(x), whitening(y)
u, s, v = numpy.linalg.svd((x @ left).T @ (y @ right) / len(x), full_matrices=False)
left, right = left @ u[:, :DIRECTIONS] * s[:DIRECTIONS], right @ v[:DIRECTIONS].T * s[:DIRECTIONS]

found, x, y = features(options.score)
a, b = (x - means[0]) / means[1] @ left, (y * rarity - middle) @ right
a, b = (side / (numpy.linalg.norm(side, axis=1, keepdims=True) + 1e-12) for side in (a, b))
if options.arrays:
    numpy.savez(options.arrays, images=a, texts=b)
if options.out:
    with open(options.out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["shard", "key", "score"])
        for (path, key, _, _), score in zip(found, (a * b).sum(1)):
            table.writerow([path, key, score])
