#!/usr/bin/env python3
"""Times the tokenizer against open_clip's on the same captions, one thread each, turn by turn.

usage: tokenizer_speed.py FOLDER|CAPTIONS.txt --peer PYTHON [--bench BIN] [--rounds 3]

FOLDER is the shared data: its captions, alternatives and translations, each once and in one line. PYTHON has
open_clip. Both sides run once over all captions before they are timed, so that their caches of words are warm.
Prints a JSON line per side, captions per second of processor time (the median of the rounds), and the ratio.
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


def captions(folder):
    found = {}

    def take(value):
        if isinstance(value, str):
            found[" ".join(value.split())] = None
        elif isinstance(value, (list, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                take(item)

    for path in sorted(pathlib.Path(folder).rglob("*.jsonl")):
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            for name in ("caption", "alt_captions", "translations"):
                take(row.get(name))
    return [text for text in found if text]


def peer_side(path):
    """open_clip's tokenizer, in a process of its own; it tokenizes whenever a line arrives."""
    import torch
    from open_clip.tokenizer import SimpleTokenizer

    torch.set_num_threads(1)
    tokenizer = SimpleTokenizer()
    texts = open(path, encoding="utf-8").read().split("\n")[:-1]
    batches = [texts[i : i + 256] for i in range(0, len(texts), 256)]
    for batch in batches:
        tokenizer(batch)
    for _ in sys.stdin:
        start = time.process_time()
        for batch in batches:
            tokenizer(batch)
        print(time.process_time() - start, flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("source")
    parser.add_argument("--peer", required=True)
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default="tokenize")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.source
        if os.path.isdir(path):
            path = os.path.join(folder, "captions.txt")
            with open(path, "w", encoding="utf-8") as out:
                out.writelines(text + "\n" for text in captions(options.source))
        count = open(path, encoding="utf-8").read().count("\n")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        peer = subprocess.Popen(
            [options.peer, "-B", os.path.abspath(__file__), "--peer-side", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        ours, theirs = [], []
        for _ in range(options.rounds):
            peer.stdin.write("go\n")
            peer.stdin.flush()
            theirs.append(count / float(peer.stdout.readline()))
            command = [options.bench, "tokenize", "--captions", path, "--rounds", "5"]
            ours.append(json.loads(subprocess.check_output(command))["captions_per_s"])
        peer.stdin.close()
        peer.wait()
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    for side, rate in (("pairloom", ours), ("open_clip", theirs)):
        print(json.dumps({"name": options.name, "side": side, "captions": count, "captions_per_s": round(rate)}))
    print(json.dumps({"name": options.name, "ratio": round(ours / theirs, 2)}))


if sys.argv[1:2] == ["--peer-side"]:
    peer_side(sys.argv[2])
else:
    main()
