#!/usr/bin/env python3
"""Near duplicates that imagededup's PHash finds among pictures of which the truth is known.

usage: imagededup_quality.py DATA [--peer PYTHON] [--bench BIN]

DATA has corpus/captions.jsonl (path, natural_group, lookalike_group) and variants/variants.jsonl (path,
of, kind). Prints a JSON line for each threshold 0 ... 16 and then the best by F1 and the best of those
with a precision of 0.999, counted as `pairloom-bench duplicates` counts: over all pairs of originals and
copies that were encoded anew, resized or made brighter or darker; pairs that are near by nature and
look-alikes are neither. With --bench that program's lines follow, so that both sides are in one run. PYTHON
has imagededup 0.3.3; pictures that it cannot read have no hash and are counted as not found.
"""
import argparse, json, os, subprocess, sys

TARGET = {"original", "reencode", "resize", "brightness"}
MOST = 16


def pictures(data):
    """(path, origin, kind, natural group, look-alike group) of each, in the order of the files."""
    def lines(name):
        with open(os.path.join(data, name), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    originals = lines("corpus/captions.jsonl")
    groups = {o["path"]: (o["natural_group"], o["lookalike_group"]) for o in originals}
    return [
        (os.path.join(data, "corpus", o["path"]), o["path"], "original", *groups[o["path"]])
        for o in originals
    ] + [
        (os.path.join(data, "variants", v["path"]), v["of"], v["kind"], *groups[v["of"]])
        for v in lines("variants/variants.jsonl")
    ]


def counts(rows):
    """Of each distance, the pairs by what they truly are; and how many true pairs there are."""
    import numpy as np
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    texts = [hasher.encode_image(image_file=row[0]) for row in rows]
    known = [index for index, text in enumerate(texts) if text]
    words = np.array([int(texts[index], 16) for index in known], dtype=np.uint64)
    bits = np.array([bin(value).count("1") for value in range(1 << 16)], dtype=np.uint8)
    same, wrong, unread = [0] * 65, [0] * 65, len(rows) - len(known)
    kinds = {}
    for place, index in enumerate(known):
        _, origin, kind, natural, lookalike = rows[index]
        differing = words[place + 1:] ^ words[place]
        distances = sum(bits[(differing >> np.uint64(16 * part)) & np.uint64(0xFFFF)] for part in range(4))
        for later, distance in enumerate(distances):
            other = rows[known[place + 1 + later]]
            isSame = other[1] == origin
            if not isSame and distance > MOST:
                continue
            if isSame and kind == "original":
                kinds.setdefault(other[2], []).append(int(distance))
            if kind not in TARGET or other[2] not in TARGET:
                continue
            if isSame:
                same[distance] += 1
            elif not (natural and natural == other[3]) and not (lookalike and lookalike == other[4]):
                wrong[distance] += 1
    sizes = {}
    for _, origin, kind, *_ in rows:
        sizes[origin] = sizes.get(origin, 0) + (kind in TARGET)
    copies = {}
    for _, _, kind, *_ in rows:
        copies[kind] = copies.get(kind, 0) + 1
    return same, wrong, sum(size * (size - 1) // 2 for size in sizes.values()), kinds, copies, unread


def scores(rows):
    same, wrong, total, kinds, copies, unread = counts(rows)
    result = []
    for threshold in range(MOST + 1):
        found, false = sum(same[:threshold + 1]), sum(wrong[:threshold + 1])
        recall, precision = found / total, found / max(1, found + false)
        result.append(dict(
            name="duplicates", side="imagededup PHash", radius=threshold, pictures=len(rows), unread=unread,
            true_pairs=total, recall=round(recall, 6), precision=round(precision, 6), wrong=false,
            f1=round(2 * recall * precision / max(1e-9, recall + precision), 6),
            recalls={
                kind: round(sum(d <= threshold for d in distances) / copies[kind], 6)
                for kind, distances in sorted(kinds.items())
            }))
    return result


def best(lines):
    precise = [line for line in lines if line["precision"] >= 0.999]
    yield dict(best="f1", **max(lines, key=lambda line: line["f1"]))
    if precise:
        yield dict(best="precision 0.999", **max(precise, key=lambda line: line["recall"]))
    else:
        yield dict(best="precision 0.999", name="duplicates", side="imagededup PHash", radius=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--peer", help="the Python that has imagededup; this one otherwise")
    parser.add_argument("--bench", help="pairloom-bench, whose lines are printed too")
    arguments = parser.parse_args()
    if arguments.peer:
        command = [arguments.peer, os.path.abspath(__file__), arguments.data]
        subprocess.run(command, check=True)
    else:
        lines = scores(pictures(arguments.data))
        for line in lines + list(best(lines)):
            print(json.dumps(line), flush=True)
    if arguments.bench:
        command = [arguments.bench, "duplicates", "--data", arguments.data]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
