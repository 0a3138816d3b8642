#!/usr/bin/env python3
"""Times loading batches in random order against webdataset and Pillow in one process, turn by turn.

usage: load.py SHARD.tar.lz4… --peer PYTHON [--bench BIN] [--pairs 2048] [--rounds 3] [--name WORDS]

The shards are Pairloom's own. Both sides do the same to the same pairs: read, decode, RandomResizedCrop(224, scale
(0.9, 1.0)) by bicubic with antialias, ToTensor, Normalize, CLIP's tokenizer, batches of 64. webdataset streams the plain
tars that `lz4 -dc` makes of the shards through a buffer of 1,000 samples, which is all the chance it knows, and runs
open_clip's own transform and tokenizer; Pairloom takes a permutation of all. Each side is a process of its own whose first
batches are not timed. Prints a table of medians of the rounds, pairs per second of wall and of CPU time; then the same
as JSON lines. PYTHON has webdataset, open_clip and torch.
"""
import argparse, json, os, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


def serve(tars, pairs):
    """One round of the peer."""
    import open_clip, torch, webdataset
    from open_clip.transform import AugmentationCfg, image_transform

    torch.set_num_threads(1)  # as torch's own DataLoader does in its processes
    transform = image_transform(224, is_train=True, aug_cfg=AugmentationCfg(scale=(0.9, 1.0)))
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    data = (
        webdataset.WebDataset(tars, shardshuffle=len(tars), empty_check=False).repeat().shuffle(1000, initial=1000)
        .decode("pilrgb").rename(image="jpg;png;jpeg;webp;gif", text="txt")
        .map_dict(image=transform, text=lambda text: tokenizer(text)[0]).to_tuple("image", "text").batched(64))
    batches = iter(data)
    for _ in range(4):
        next(batches)
    count, wall, cpu = 0, time.time(), time.process_time()
    while count < pairs:
        count += len(next(batches)[0])
    print(json.dumps(dict(pairs=count, wall=time.time() - wall, cpu=time.process_time() - cpu)))


def peer(options, tars):
    command = [options.peer, "-W", "ignore", os.path.abspath(__file__), *tars, "--pairs", str(options.pairs), "--serve"]
    line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return line["pairs"] / line["wall"], line["pairs"] / line["cpu"]


def bench(options, shards, threads):
    command = [options.bench, "load", *shards, "--pairs", str(options.pairs), "--threads", str(threads), "--rounds", "1"]
    line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return line["pairs_per_s"], line["pairs_per_cpu_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="+")
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--pairs", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default="pictures", help="what the shards hold")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.shards, options.pairs)
    folder = tempfile.mkdtemp(prefix="pairloom-load-")
    try:
        tars = []
        for number, shard in enumerate(options.shards):
            tars.append(f"{folder}/{number:05}.tar")
            with open(tars[-1], "wb") as out:
                subprocess.run(["lz4", "-dc", shard], check=True, stdout=out)
        sides = {
            "webdataset + Pillow, .tar": lambda: peer(options, tars),
            "pairloom, .tar.lz4, 1 thread": lambda: bench(options, options.shards, 1),
            "pairloom, .tar.lz4, 2 threads": lambda: bench(options, options.shards, 2),
            "pairloom, .tar, 1 thread": lambda: bench(options, tars, 1),
            "pairloom, .tar, 2 threads": lambda: bench(options, tars, 2),
        }
        seen = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, run in sides.items():
                seen[name].append(run())
        rates = {name: [statistics.median(r[i] for r in rounds) for i in (0, 1)] for name, rounds in seen.items()}
        # A round's sides stand beside each other: what else the machine does weighs on all of them.
        base = seen["webdataset + Pillow, .tar"]
        times = {name: [statistics.median(r[i] / b[i] for r, b in zip(rounds, base)) for i in (0, 1)]
                 for name, rounds in seen.items()}
        print(f"{options.name}: {options.pairs} pairs a round, medians of {options.rounds} rounds, side by side; "
              f"load {os.getloadavg()[0]:.1f}")
        print(f"{'':32}{'pairs/s':>10}{'per CPU s':>11}{'× peer':>9}{'× (CPU)':>9}")
        for name, (wall, cpu) in rates.items():
            print(f"{name:32}{wall:>10,.0f}{cpu:>11,.0f}{times[name][0]:>9.2f}{times[name][1]:>9.2f}")
        for name, (wall, cpu) in rates.items():
            print(json.dumps(dict(
                figure=f"load {options.name}", side=name, pairs=options.pairs, rounds=options.rounds, pairs_per_s=round(wall),
                pairs_per_cpu_s=round(cpu), times_peer=round(times[name][0], 2), times_peer_cpu=round(times[name][1], 2))))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
