#!/usr/bin/env python3
"""Times a cut decided in int8 against the same cut of float32 scores, turn by turn, and compares the decisions.

usage: int8_cut.py --pairs PAIRS.tar --weights WEIGHTS.safetensors [--model ViT-B-32] [--pairloom BIN]
                   [--fraction 0.3] [--audit-share 0.01] [--rounds 3] [--per-shard 500] [--work FOLDER]

PAIRS.tar and WEIGHTS.safetensors are as score.py makes them (its --n says how many pairs); any WebDataset tar will
do. The pairs are cut into shards. A round of each side: `pairloom score` in float32, whose best fraction is what
must be kept; `pairloom score --precision int8 --top-fraction`. Prints a JSON line per side and round, with the wall
and all cores' seconds, and one of the medians with the audit of the last round. Needs pyarrow.
"""
import argparse, json, math, os, resource, shutil, statistics, subprocess, tarfile, time


def shards(options):
    paths, out, count = [], None, 0
    with tarfile.open(options.pairs) as tar:
        key = None
        for member in tar:
            if member.name.split(".")[0] != key:
                key = member.name.split(".")[0]
                if count % options.per_shard == 0:
                    if out:
                        out.close()
                    paths.append(f"{options.work}/{len(paths):05d}.tar")
                    out = tarfile.open(paths[-1], "w")
                count += 1
            out.addfile(member, tar.extractfile(member))
    out.close()
    return paths, count


def timed(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cores, json.loads(done.stdout)


def rows(folder):
    import pyarrow.parquet

    return [
        row for name in sorted(os.listdir(folder)) for row in pyarrow.parquet.read_table(f"{folder}/{name}").to_pylist()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--pairloom", default=".build/release/pairloom")
    parser.add_argument("--fraction", type=float, default=0.3)
    parser.add_argument("--audit-share", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--per-shard", type=int, default=500)
    parser.add_argument("--work", default=".build/int8-cut")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    os.makedirs(options.work)
    paths, count = shards(options)
    command = [options.pairloom, "score", *paths, "--model", options.weights, "--model-config", options.model,
               "--force-scorer", "--json", "--out"]
    sides = {
        "float32": [],
        "int8": ["--precision", "int8", "--top-fraction", str(options.fraction), "--audit-share", str(options.audit_share)],
    }
    seconds = {side: [] for side in sides}
    for number in range(options.rounds):
        for side, extra in sides.items():
            out = f"{options.work}/{side}-{number}"
            wall, cores, said = timed([*command, out, *extra])
            seconds[side].append((wall, cores))
            print(json.dumps({"side": side, "round": number, "seconds": round(wall, 1), "cpu_seconds": round(cores, 1)}), flush=True)
        exact = [row for row in rows(f"{options.work}/float32-{number}")]
        keep = math.ceil(options.fraction * len(exact) - 1e-9)
        exact.sort(key=lambda row: (-(row["score"] if row["score"] is not None else -math.inf), row["key"]))
        kept = {row["key"] for row in rows(f"{options.work}/int8-{number}") if row["kept"]}
        assert kept == {row["key"] for row in exact[:keep]}, "the decisions differ"
    medians = {side: [statistics.median(values) for values in zip(*rounds)] for side, rounds in seconds.items()}
    print(json.dumps({
        "pairs": count, "kept": keep, "decisions": "equal",
        "ratio_of_wall": round(medians["float32"][0] / medians["int8"][0], 3),
        "ratio_of_cpu": round(medians["float32"][1] / medians["int8"][1], 3),
        "audit": said["audit"],
    }))


if __name__ == "__main__":
    main()
