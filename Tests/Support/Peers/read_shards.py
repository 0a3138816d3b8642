#!/usr/bin/env python3
"""Times reading shards against webdataset on the same pairs and against `lz4 -dc`, turn by turn.

usage: read_shards.py SHARD.tar.lz4… [--bench BIN] [--peer PYTHON] [--rounds 5] [--random 20000]

The shards are Pairloom's own with their .idx. webdataset, on one process, reads the plain tars that
`lz4 -dc` makes of them, which are read by Pairloom too. Prints a table of medians: pairs per second of
wall and of CPU time, the ratio to webdataset, and the share of what `lz4 -dc > /dev/null` reaches; then the
same as JSON lines.
PYTHON has webdataset. On a machine with other work the columns of CPU time are the ones to believe.
"""
import argparse, json, os, resource, shutil, statistics, subprocess, sys, tempfile, time

PEER = """
import sys, time, webdataset
def run():
    pairs, wall, cpu = 0, time.time(), time.process_time()
    for sample in webdataset.WebDataset(sys.argv[1:], shardshuffle=False):
        pairs += 'jpg' in sample or 'png' in sample or 'webp' in sample
    return pairs, time.time() - wall, time.process_time() - cpu
run()
print(*run())
"""


def bench(binary, arguments):
    out = subprocess.run([binary, "read-shards", "--rounds", "1", *arguments], check=True, capture_output=True)
    figure = json.loads(out.stdout)
    return figure["pairs"], figure["pairs"] / figure["pairs_per_s"], figure["pairs"] / figure["pairs_per_cpu_s"]


def peer(python, tars):
    out = subprocess.run([python, "-W", "ignore", "-c", PEER, *tars], check=True, capture_output=True)
    pairs, wall, cpu = out.stdout.split()
    return int(pairs), float(wall), float(cpu)


def lz4(shards, pairs):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    for shard in shards:
        subprocess.run(["lz4", "-dc", shard], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return pairs, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="+")
    parser.add_argument("--bench", default=".build/release/pairloom-bench")
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--random", type=int, default=20000)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="pairloom-read-shards-")
    try:
        tars = []
        for number, shard in enumerate(options.shards):
            os.mkdir(f"{folder}/{number}")
            tars.append(f"{folder}/{number}/{os.path.basename(shard).removesuffix('.lz4')}")
            with open(tars[-1], "wb") as out:
                subprocess.run(["lz4", "-dc", shard], check=True, stdout=out)
        pairs = peer(options.peer, tars)[0]
        # One shard's frames fit any cache: what is asked for by key is warm.
        sides = {
            "webdataset, .tar": lambda: peer(options.peer, tars),
            "pairloom, .tar.lz4": lambda: bench(options.bench, options.shards),
            "pairloom, .tar (scanned first)": lambda: bench(options.bench, tars),
            "lz4 -dc > /dev/null": lambda: lz4(options.shards, pairs),
            "by key, .tar.lz4": lambda: bench(options.bench, ["--random", str(options.random), options.shards[0]]),
            "by key, .tar": lambda: bench(options.bench, ["--random", str(options.random), tars[0]]),
        }
        seen = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, run in sides.items():
                seen[name].append(run())
        rate = {}
        for name, rounds in seen.items():
            rate[name] = [statistics.median(r[0] / r[i] for r in rounds) for i in (1, 2)]
        base, tool = rate["webdataset, .tar"], rate["lz4 -dc > /dev/null"]
        print(f"{pairs} pairs, {sum(map(os.path.getsize, tars)) / pairs / 1000:.1f} kB each in the tar; "
              f"medians of {options.rounds} rounds, side by side; load {os.getloadavg()[0]:.1f}")
        print(f"{'':32}{'pairs/s':>10}{'per CPU s':>11}{'× webdataset':>14}{'× (CPU)':>9}{'of lz4':>8}{'(CPU)':>7}")
        for name, (wall, cpu) in rate.items():
            print(f"{name:32}{wall:>10,.0f}{cpu:>11,.0f}{wall / base[0]:>14.1f}{cpu / base[1]:>9.1f}"
                  f"{wall / tool[0]:>8.0%}{cpu / tool[1]:>7.0%}")
        for name, (wall, cpu) in rate.items():
            print(json.dumps(dict(
                figure="read shards", side=name, pairs=pairs, rounds=options.rounds, pairs_per_s=round(wall),
                pairs_per_cpu_s=round(cpu), times_webdataset=round(wall / base[0], 2), of_lz4=round(wall / tool[0], 3))))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
