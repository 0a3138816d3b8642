#!/usr/bin/env python3
"""Iterates every pair of LZ4 shards with the Python package webdataset. usage: iterate.py SHARD.tar.lz4 …"""
import json, sys, webdataset

count = 0
for sample in webdataset.WebDataset(["pipe:lz4 -dc " + path for path in sys.argv[1:]], shardshuffle=False):
    assert {"jpg", "json", "txt"} <= set(sample), sample.keys()
    assert json.loads(sample["json"])["key"] == sample["__key__"] and sample["jpg"][:2] == b"\xff\xd8"
    count += 1
print(f"webdataset: {count} pairs")
