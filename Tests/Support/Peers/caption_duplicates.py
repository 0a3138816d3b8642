#!/usr/bin/env python3
"""Times finding equal and near captions against datasketch's MinHashLSH, turn by turn on the same captions.

usage: caption_duplicates.py [--rows 100000] [--similarity 0.8] [--bench BIN] [--peer PYTHON] [--rounds 3]

The captions are made: words as frequent as in Zipf's law, a fifth of them as before, a tenth with one word
changed. Both sides keep a caption that is neither equal nor near to one that they have kept. datasketch gets
the same parts of a caption (its words and its pairs of neighbouring words), 128 permutations and its own choice
of bands, and takes each candidate for a duplicate, as its users do; afterwards its candidates are compared
by their true similarity, which Pairloom does as it goes. Pairloom's index is on the disk and survives a kill
after every 1,000 captions; datasketch's is in memory. Prints a table, then the same as JSON lines.
PYTHON has datasketch. Each run is a process of its own; memory is its peak. On a machine with other work the
columns of CPU time are the ones to believe.
"""
import argparse, json, os, random, statistics, subprocess, sys, tempfile

PEER = """
import json, sys, time
from datasketch import MinHash, MinHashLSH
path, similarity = sys.argv[1], float(sys.argv[2])
captions = open(path, encoding='utf-8').read().split('\\n')[:-1]
def parts(caption):
    words = caption.split(' ')
    return set(words) | set(zip(words, words[1:]))
def encoded(caption):
    return [' '.join(p).encode() if isinstance(p, tuple) else p.encode() for p in parts(caption)]
start, cpu = time.time(), time.process_time()
lsh = MinHashLSH(threshold=similarity, num_perm=128)
seen, near = set(), []
equal = 0
for first in range(0, len(captions), 1000):
    chunk = captions[first:first + 1000]
    for row, (caption, sketch) in enumerate(zip(chunk, MinHash.bulk(map(encoded, chunk), num_perm=128)), first):
        if caption in seen:
            equal += 1
            continue
        found = lsh.query(sketch)
        if found:
            near.append((row, found))
            continue
        seen.add(caption)
        lsh.insert(row, sketch)
wall, cpu = time.time() - start, time.process_time() - cpu
def jaccard(a, b):
    a, b = parts(captions[a]), parts(captions[b])
    return len(a & b) / len(a | b)
true = sum(any(jaccard(row, other) >= similarity for other in found) for row, found in near)
with open('/proc/self/status') as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith('VmHWM')) / 1024
print(json.dumps(dict(seconds=wall, cpu=cpu, equal=equal, near=len(near), true=true, peak=peak)))
"""


def make_captions(path, rows):
    rng = random.Random(1)
    words = [f"w{i:x}" for i in range(50000)]
    shares, total = [], 0
    for i in range(len(words)):
        total += 1 / (i + 1)
        shares.append(total)
    fresh = []
    with open(path, "w", encoding="utf-8") as out:
        for row in range(rows):
            kind = rng.random()
            if kind < 0.3 and fresh:
                caption = list(rng.choice(fresh))
                if kind < 0.1:
                    caption[rng.randrange(len(caption))] = rng.choices(words, cum_weights=shares)[0]
            else:
                caption = rng.choices(words, cum_weights=shares, k=rng.randrange(4, 21))
                fresh.append(caption)
            out.write(" ".join(caption) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--similarity", type=float, default=0.8)
    parser.add_argument("--bench", default=".build/release/pairloom-bench")
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pairloom-captions-") as folder:
        path = f"{folder}/captions.txt"
        make_captions(path, options.rows)

        def pairloom(threads):
            out = subprocess.run(
                [options.bench, "captions", "--near", "--captions", path, "--similarity", str(options.similarity),
                 "--threads", str(threads)], check=True, capture_output=True)
            figure = json.loads(out.stdout)
            return dict(seconds=figure["median"], equal=figure["equal"], near=figure["near"], true=figure["near"],
                        cpu=figure["rows"] / figure["rows_per_cpu_s"], peak=figure["peak_rss_mb"])

        def datasketch():
            out = subprocess.run([options.peer, "-W", "ignore", "-c", PEER, path, str(options.similarity)],
                                 check=True, capture_output=True)
            return json.loads(out.stdout)

        cores = os.cpu_count() or 1
        sides = {"datasketch": datasketch, "pairloom, 1 thread": lambda: pairloom(1)}
        if cores > 1:
            sides[f"pairloom, {cores} threads"] = lambda: pairloom(cores)
        seen = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, run in sides.items():
                seen[name].append(run())
    base = {kind: statistics.median(r[kind] for r in seen["datasketch"]) for kind in ("seconds", "cpu")}
    print(f"{options.rows} captions, similarity {options.similarity}; medians of {options.rounds} rounds, side by side; "
          f"load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'rows/s':>10}{'per CPU s':>11}{'× datasketch':>14}{'(CPU)':>8}{'equal':>9}{'near':>8}{'truly':>8}{'peak MB':>9}")
    lines = []
    for name, rounds in seen.items():
        seconds, cpu = (statistics.median(r[kind] for r in rounds) for kind in ("seconds", "cpu"))
        last = rounds[-1]
        print(f"{name:22}{options.rows / seconds:>10,.0f}{options.rows / cpu:>11,.0f}"
              f"{base['seconds'] / seconds:>14.1f}{base['cpu'] / cpu:>8.1f}{last['equal']:>9}{last['near']:>8}"
              f"{last['true']:>8}{last['peak']:>9.0f}")
        lines.append(dict(
            figure="caption duplicates", side=name, rows=options.rows, similarity=options.similarity,
            rounds=options.rounds, rows_per_s=round(options.rows / seconds), rows_per_cpu_s=round(options.rows / cpu),
            times_datasketch=round(base["seconds"] / seconds, 2), times_datasketch_cpu=round(base["cpu"] / cpu, 2),
            equal=last["equal"], near=last["near"], truly_near=last["true"], peak_rss_mb=round(last["peak"])))
    for line in lines:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
