#!/usr/bin/env python3
"""Times all pairs of 64-bit hashes within a Hamming radius against faiss, on the same hashes.

usage: near_duplicates.py HASHES.bin --peer PYTHON [--bench BIN] [--radius 6] [--threads 2] [--queries N] [--name WORDS]
       near_duplicates.py --make HASHES.bin --n 1000000 --peer PYTHON

faiss's IndexBinaryFlat compares all with all, which is exact; PYTHON has faiss (faiss-cpu) and numpy. Its search
runs once between two rounds of ours, all 2,000 queries a call, and counts each pair once as it goes. Prints a JSON
line per side: seconds on the clock and on the processors; and one with the ratios and whether both found the same
pairs, one by one. --queries takes every so many-th hash as a query only, and multiplies faiss's time accordingly:
its pairs are then compared for those hashes alone. --make writes random hashes, 5 % of them copies of others with
up to --radius bits flipped.
"""
import argparse, json, os, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
CALL = 2000  # queries a call: what faiss returns of them stays small


def make(options):
    import numpy as np

    random = np.random.default_rng(options.seed)
    hashes = np.frombuffer(random.bytes(8 * options.n), "<u8").copy()
    copies = options.n // 20
    for place in range(options.n - copies, options.n):
        word = int(hashes[random.integers(options.n - copies)])
        for bit in random.permutation(64)[: random.integers(options.radius + 1)]:
            word ^= 1 << int(bit)
        hashes[place] = word
    hashes.tofile(options.make)


def faiss_side(options):
    """The search of faiss, in a process of its own; compares with our pairs outside the clocks."""
    import faiss
    import numpy as np

    faiss.omp_set_num_threads(options.threads)
    hashes = np.fromfile(options.hashes, "<u8")
    ours = np.fromfile(options.pairs, "<u8")
    ours.sort()
    index = faiss.IndexBinaryFlat(64)
    index.add(hashes.view(np.uint8).reshape(-1, 8))
    step = max(1, len(hashes) // options.queries) if options.queries else 1
    queries = np.arange(0, len(hashes), step)
    wall = cpu = 0.0
    pairs, same = 0, True
    for begin in range(0, len(queries), CALL):
        asked = queries[begin:begin + CALL]
        clock, processor = time.perf_counter(), time.process_time()
        # faiss takes what is nearer than the radius that it is given.
        ends, _, found = index.range_search(hashes[asked].view(np.uint8).reshape(-1, 8), options.radius + 1)
        first = np.repeat(asked, np.diff(ends.astype(np.int64)))
        later = found > first
        pairs += int(later.sum())
        wall += time.perf_counter() - clock
        cpu += time.process_time() - processor
        theirs = np.sort(first[later].astype(np.uint64) << np.uint64(32) | found[later].astype(np.uint64))
        low, high = int(asked[0]) << 32, (int(asked[-1]) + 1) << 32
        mine = ours[np.searchsorted(ours, np.uint64(low)):np.searchsorted(ours, np.uint64(high))]
        if step > 1:
            mine = mine[np.isin(mine >> np.uint64(32), asked.astype(np.uint64))]
        same = same and np.array_equal(mine, theirs)
    scale = len(hashes) / len(queries)
    print(json.dumps(dict(queries=len(queries), pairs=pairs, same=bool(same), seconds=wall * scale, cpu_s=cpu * scale)))


def ours(options, *more):
    command = [options.bench, "near-duplicates", options.hashes, "--radius", str(options.radius)]
    command += ["--threads", str(options.threads), *more]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hashes", nargs="?")
    parser.add_argument("--make")
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer")
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--radius", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--queries", type=int, default=0, help="about how many; 0 for all")
    parser.add_argument("--name", default="hashes", help="what the file holds")
    parser.add_argument("--pairs", help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        return make(options) if options.make else faiss_side(options)
    if not options.peer or not (options.hashes or options.make):
        sys.exit("near_duplicates.py: name the hashes, and the peer's Python with --peer")
    again = [options.peer, os.path.abspath(__file__), *sys.argv[1:], "--side", "faiss"]
    if options.make:
        return subprocess.run(again, check=True)
    with tempfile.TemporaryDirectory() as folder:
        pairs = os.path.join(folder, "pairs.bin")
        enumerated = ours(options, "--pairs-to", pairs, "--rounds", "1")
        before = ours(options)
        out = subprocess.run([*again, "--pairs", pairs], check=True, capture_output=True, text=True).stdout
        theirs = json.loads(out.splitlines()[-1])
    rounds = [before, ours(options)]
    mine = {key: sum(each[key] for each in rounds) / 2 for key in ("seconds", "cpu_s", "peak_rss_mb")}
    figure = f"near duplicates, {options.name}"
    common = dict(hashes=before["hashes"], radius=options.radius, threads=options.threads)
    counted = all(each["pairs"] == enumerated["pairs"] for each in rounds)
    print(json.dumps(dict(
        figure=figure, side="pairloom", **common, pairs=before["pairs"], enumerating_s=enumerated["seconds"],
        **{key: round(value, 3) for key, value in mine.items()})))
    print(json.dumps(dict(
        figure=figure, side="faiss", **common, queries=theirs["queries"], pairs=theirs["pairs"],
        seconds=round(theirs["seconds"], 1), cpu_s=round(theirs["cpu_s"], 1))))
    print(json.dumps(dict(
        figure=f"{figure}: ratios", seconds=round(theirs["seconds"] / mine["seconds"]),
        cpu_s=round(theirs["cpu_s"] / mine["cpu_s"]), same_pairs=theirs["same"] and counted)))
    if not (theirs["same"] and counted):
        sys.exit("near_duplicates.py: the pairs differ")


main()
