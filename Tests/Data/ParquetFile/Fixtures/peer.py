"""pyarrow's side of the live tests.

peer.py generate FOLDER SEED COUNT   writes COUNT files of random options and, beside each, the
                                     spelling of its values as JSON
peer.py check FILE JSON              reads a file of Pairloom's and says what is wrong with it
"""

import json
import random
import sys

import matrix


def generate(folder, seed, count):
    for number in range(count):
        rng = random.Random(seed * 1000 + number)
        encoding = ["plain", "dictionary", "delta", "split"][number % 4]
        nulls = ["none", "some", "runs", "all"][number // 4 % 4]
        options = {
            "codec": rng.choice(["none", "snappy", "gzip", "zstd", "lz4"]),
            "data_page_version": rng.choice(["1.0", "2.0"]),
            "version": rng.choice(["1.0", "2.4", "2.6"]),
            "data_page_size": rng.choice([100, 1000, 1 << 20]),
            "write_batch_size": rng.choice([7, 1024]),
            "row_group_size": rng.choice([50, 170, 10000]),
            "write_page_checksum": rng.random() < 0.5,
            "write_page_index": rng.random() < 0.5,
            "store_decimal_as_integer": rng.random() < 0.5,
        }
        if encoding == "dictionary":
            options["dictionary_pagesize_limit"] = rng.choice([64, 1 << 20])
        skip = set()
        if options["version"] == "1.0":
            # There are no nanoseconds in the first version: pyarrow would change the values.
            skip = {"stamp_ns_utc", "uint32"}
        elif options["version"] == "2.4":
            skip = {"stamp_ns_utc"}
        table, spelled = matrix.make_table(rng, rng.choice([1, 137, 1500]), nulls, skip)
        path = f"{folder}/{number:03d}-{encoding}-{nulls}"
        matrix.write(table, path + ".parquet", encoding, **options)
        with open(path + ".json", "w") as file:
            json.dump({"options": str(options), "columns": spelled}, file)


def check(path, expected):
    import check_file

    with open(expected) as file:
        for line in check_file.problems(path, json.load(file)):
            print(line)


if __name__ == "__main__":
    if sys.argv[1] == "generate":
        generate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        check(sys.argv[2], sys.argv[3])
