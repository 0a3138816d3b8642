"""Writes metadata tables as DataComp's small pool has them, of pairs that are not there: 12.8 million rows.

    python3 make_metadata.py FOLDER [--rows 12800000]

Needs numpy and pyarrow. Captions are of English words, a third of them with foreign ones among them; sizes and
scores are drawn. The same seed, the same tables.
"""
import argparse, os
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

ENGLISH = ("the a of and in on with for from by at red blue white black small large new old house dog cat car tree "
           "water beach city street night day man woman child people table chair photo image picture vintage "
           "wooden modern design free shipping set pack style home garden kitchen best sale price shop online "
           "wedding dress shoes bag leather gold silver ring flower green field mountain sky sunset").split()
FOREIGN = "der die und mit für ein eine la le de los una para por avec dans на из для и с 犬 猫 の は".split()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=12_800_000)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    random = np.random.default_rng(1)
    words = np.array(ENGLISH + FOREIGN)
    for number, start in enumerate(range(0, options.rows, 100_000)):
        n = min(100_000, options.rows - start)
        counts = random.integers(1, 16, n)
        foreign = random.random(n) < 0.33
        limit = np.repeat(np.where(foreign, len(words), len(ENGLISH)), counts)
        drawn = words[(random.random(counts.sum()) * limit).astype(int)]
        ends = np.cumsum(counts)
        texts = [" ".join(drawn[a:b]) for a, b in zip(ends - counts, ends)]
        high, low = random.integers(0, 2**64, (2, n), dtype=np.uint64)
        pq.write_table(pa.table({
            "uid": [f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist())],
            "url": [f"https://example.org/{start + i}.jpg" for i in range(n)],
            "text": texts,
            "original_width": random.integers(50, 2000, n), "original_height": random.integers(50, 2000, n),
            "clip_b32_similarity_score": random.normal(0.25, 0.05, n),
            "clip_l14_similarity_score": random.normal(0.22, 0.05, n),
        }), f"{options.folder}/{number:05d}.parquet", compression="snappy")


if __name__ == "__main__":
    main()
