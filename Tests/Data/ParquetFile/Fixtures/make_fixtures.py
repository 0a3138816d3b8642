"""Writes the Parquet files of this folder and fixtures.json, which says what they hold.

Run it with pyarrow 26.0.1 and numpy: `python -B make_fixtures.py`. All values are made up.
"""

import base64
import datetime
import json
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

import handmade
import matrix

HERE = os.path.dirname(os.path.abspath(__file__))
tables, files = {}, {}


def path(name):
    return os.path.join(HERE, name + ".parquet")


def fixture(name, table_name, table, encoding, **options):
    matrix.write(table, path(name), encoding, **options)
    files[name] = {"table": table_name}


def make_matrix():
    old = {"stamp_ns_utc", "uint32"}
    for nulls, rows in (("some", 60), ("none", 40), ("all", 20)):
        table, spelled = matrix.make_table(random.Random(nulls), rows, nulls)
        tables[nulls] = spelled
        if nulls == "some":
            fixture("some-plain-v1-none", nulls, table, "plain", data_page_version="1.0", store_decimal_as_integer=True)
            fixture("some-delta-v2-zstd", nulls, table, "delta", codec="zstd", data_page_version="2.0")
            fixture("some-split-v1-gzip", nulls, table, "split", codec="gzip", write_page_checksum=True)
            fixture("some-dictionary-v2-lz4", nulls, table, "dictionary", codec="lz4", data_page_version="2.0", data_page_size=60, write_batch_size=10, write_page_index=True)
            reduced = table.drop(sorted(old))
            tables["old"] = {k: v for k, v in spelled.items() if k not in old}
            fixture("old-dictionary-v1-snappy", "old", reduced, "dictionary", codec="snappy", version="1.0", row_group_size=25)
        elif nulls == "none":
            fixture("none-dictionary-v1-zstd", nulls, table, "dictionary", codec="zstd", dictionary_pagesize_limit=50, write_batch_size=8, write_page_checksum=True)
            fixture("none-delta-v1-snappy", nulls, table, "delta", codec="snappy", row_group_size=15)
            fixture("none-split-v2-none", nulls, table, "split", data_page_version="2.0")
        else:
            fixture("all-dictionary-v1-gzip", nulls, table, "dictionary", codec="gzip")
            fixture("all-delta-v2-none", nulls, table, "delta", data_page_version="2.0")


def make_special():
    raw = [0, -1, 1_700_000_000_123_456_789, None, -62_135_596_800_000_000 * 100]
    stamps = pa.array(raw, pa.int64()).cast(pa.timestamp("ns"))
    pq.write_table(pa.table({"stamp": stamps}), path("int96"), use_deprecated_int96_timestamps=True)
    tables["int96"] = {"stamp": [None if v is None else "t:" + matrix.iso(v, "ns") for v in raw]}
    files["int96"] = {"table": "int96"}

    nested = pa.table({
        "before": [1, 2], "struct": [{"a": 1, "b": "x"}, None],
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "deep": [[[1], []], None], "structs": [[{"a": 1}], []], "list": [[1, None], None],
        "one": pa.array([[{"only": 5}], []]), "after": ["x", None],
    })
    pq.write_table(nested, path("nested"), compression="none")
    tables["nested"] = {"before": ["i:1", "i:2"], "list": [["i:1", None], None], "after": ["t:x", None]}
    files["nested"] = {"table": "nested", "unsupported": ["struct", "map", "deep", "structs", "one"]}

    empty = pa.table({"url": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
    pq.write_table(empty, path("empty"))
    tables["empty"] = {"url": [], "n": []}
    files["empty"] = {"table": "empty"}

    for codec in ("brotli",):
        pq.write_table(pa.table({"n": [1, 2, 3]}), path(codec), compression=codec)
        files[codec] = {"error": "codec BROTLI is not supported"}


def make_encrypted():
    class Keys(pe.KmsClient):
        def wrap_key(self, key, master):
            return base64.b64encode(key)

        def unwrap_key(self, key, master):
            return base64.b64decode(key)

    factory = pe.CryptoFactory(lambda configuration: Keys())
    table = pa.table({"open": [1, 2], "secret": ["a", "b"]})
    for name, is_plain in (("encrypted-footer", False), ("encrypted-column", True)):
        configuration = pe.EncryptionConfiguration(footer_key="footer", column_keys={"column": ["secret"]}, plaintext_footer=is_plain)
        properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), configuration)
        with pq.ParquetWriter(path(name), table.schema, encryption_properties=properties) as writer:
            writer.write_table(table)
    files["encrypted-footer"] = {"error": "the footer is encrypted"}
    files["encrypted-column"] = {"error": "column secret, row group 0: the column is encrypted"}


def make_by_hand():
    tables["old-lists"] = handmade.old_lists(path("old-lists"))
    tables["odd-layouts"] = handmade.odd_layouts(path("odd-layouts"))
    files["old-lists"] = {"table": "old-lists"}
    files["odd-layouts"] = {"table": "odd-layouts"}
    handmade.one_page(path("lzo"), codec=3)
    files["lzo"] = {"error": "codec LZO is not supported"}
    handmade.one_page(path("lz4-hadoop"), codec=5)
    files["lz4-hadoop"] = {"error": "codec LZ4 (the deprecated Hadoop form) is not supported"}
    handmade.one_page(path("wrong-checksum"), crc=12345)
    files["wrong-checksum"] = {"error": "a page's checksum does not fit"}
    handmade.one_page(path("short-page"), body=b"\1\0\0\0\2\0\0\0")
    files["short-page"] = {"error": "a page's values end early"}


def check_by_pyarrow():
    """pyarrow must read the handmade files alike.

    Not what is BIT_PACKED: it takes the least significant bit first, against Encodings.md ("from the
    most significant bit to the least significant bit of each byte") and parquet-mr, which wrote it.
    Nor the column with an empty page, which it takes for the column's end.
    """
    read = pq.read_table(path("old-lists"), columns=["two", "bare", "split"]).to_pydict()
    assert read["two"] == read["bare"] == [[1, 2], [], [3]], read
    assert read["split"] == [[1, 2, 3, 1], [], [2]], read
    read = pq.read_table(path("odd-layouts"), columns=["money", "time"]).to_pydict()
    assert [f"t:{v:f}" for v in read["money"]] == tables["odd-layouts"]["money"], read
    assert read["time"][2] == datetime.time(23, 59, 59, 999000), read


if __name__ == "__main__":
    make_matrix()
    make_special()
    make_encrypted()
    make_by_hand()
    check_by_pyarrow()
    with open(os.path.join(HERE, "fixtures.json"), "w") as file:
        json.dump({"pyarrow": pa.__version__, "tables": tables, "files": files}, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")
