"""Exact search among N vectors of 512 halves: `pairloom search` beside faiss IndexFlatIP on the same vectors.

    embedding_search.py FOLDER --pairloom PATH [--rows 1000000] [--rounds 5]

FOLDER gets the vectors (1 GB a million) and a ViT-B-32 of random weights, once. Prints a JSON line: the least and the
median seconds of a search for the 20 nearest, turn by turn, and the median of the ratio. faiss holds its vectors
in memory as floats; pairloom reads halves from the mapped file. Also: `pairloom dedup --semantic 0.05 --plan`, seconds.
Needs faiss-cpu, open_clip_torch and safetensors.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import numpy

WIDTH = 512


def make_vectors(path, rows):
    """Rows around N / 200 directions; a tenth are near copies of the row before."""
    random = numpy.random.default_rng(1)
    directions = random.standard_normal((max(10, rows // 200), WIDTH), dtype="f4")
    array = numpy.lib.format.open_memmap(path, "w+", "f2", (rows, WIDTH))
    for start in range(0, rows, 50_000):
        count = min(50_000, rows - start)
        block = directions[random.integers(len(directions), size=count)]
        block = block + random.standard_normal((count, WIDTH), dtype="f4")
        near = numpy.nonzero(random.random(count) < 0.1)[0]
        near = near[near > 0]
        block[near] = block[near - 1] + 0.05 * random.standard_normal((len(near), WIDTH), dtype="f4")
        array[start : start + count] = block / numpy.linalg.norm(block, axis=1, keepdims=True)
    array.flush()


def make_model(path):
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32")
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--pairloom", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = f"{options.folder}/{options.rows}"
    vectors, model = f"{folder}/img_emb/img_emb_0.npy", f"{options.folder}/b32.safetensors"
    os.makedirs(os.path.dirname(vectors), exist_ok=True)
    if not os.path.exists(vectors):
        make_vectors(vectors, options.rows)
    if not os.path.exists(model):
        make_model(model)

    import faiss

    stored = numpy.load(vectors, mmap_mode="r")
    index = faiss.IndexFlatIP(WIDTH)
    for start in range(0, options.rows, 100_000):
        index.add(numpy.asarray(stored[start : start + 100_000], "f4"))
    query = numpy.random.default_rng(2).standard_normal((1, WIDTH), dtype="f4")
    query /= numpy.linalg.norm(query)
    ours, theirs = [], []
    for _ in range(options.rounds):
        answer = subprocess.run(
            [options.pairloom, "search", folder, "--text", "a dog", "--model", model]
            + ["--model-config", "ViT-B-32", "--json"],
            check=True, capture_output=True, text=True,
        )
        ours.append(json.loads(answer.stdout)["seconds"])
        start = time.perf_counter()
        index.search(query, 20)
        theirs.append(time.perf_counter() - start)
    start = time.perf_counter()
    subprocess.run(
        [options.pairloom, "dedup", "--semantic", "0.05", folder, "--plan"], check=True,
        capture_output=True,
    )
    print(
        json.dumps(
            {
                "benchmark": "embedding-search", "rows": options.rows, "threads": os.cpu_count(),
                "seconds": min(ours), "median_seconds": statistics.median(ours),
                "faiss_seconds": min(theirs), "faiss_median_seconds": statistics.median(theirs),
                "faster": statistics.median(t / o for t, o in zip(theirs, ours)),
                "semantic_seconds": time.perf_counter() - start,
            }
        )
    )


if __name__ == "__main__":
    main()
