#!/usr/bin/env python3
"""Holds the fate of every row of a run against the truth file of its list.

usage: fates.py RUN TRUTH.jsonl (wants pyarrow)      prints the table, and each row that disagrees; exits 1 if one does

The truth's `expect` is success, success_with_retry, fail (with a class), policy, or depends (half-broken
files, placeholders, drawings: kept or dropped for a reason that fits). A duplicate may be dropped in
favour of an earlier row with the same URL, the same bytes, or a picture that the truth has in the same
group, and the earlier row's own fate is checked. Pictures that were taken for one and are of two groups are
listed: the truth knows of made copies only, so a person has to look.
The server's `chunked-bad` leaves its bad chunk out where a small picture's last chunk goes past the middle: what
it sends then is an incomplete answer, so the server, which must be up, is asked which of the two it is.
"""
import collections, glob, json, socket, sys
from urllib.parse import urlsplit

import pyarrow.parquet

run, truth = sys.argv[1:3]
rows = [json.loads(line) for line in open(truth, encoding="utf-8")]
fates = {}
for path in sorted(glob.glob(run + "/shards/*.parquet")):
    for fate in pyarrow.parquet.read_table(path).to_pylist():
        fates[fate["row"]] = fate

# The truth's class of a failure → the reasons that mean the same here.
CLASSES = {
    "http_status": {"http_status"}, "redirect": {"redirect"}, "connect": {"connect", "dns", "no_such_host"},
    "incomplete": {"incomplete"}, "protocol": {"protocol"}, "timeout": {"timeout"},
    "too_large": {"too_large"}, "bomb": {"too_large", "too_many_pixels", "not_an_image"}, "bad_url": {"bad_url"},
    "not_image": {"not_an_image", "unsupported_format", "empty"}, "decode": {"corrupt", "truncated", "not_an_image"},
    "robots": {"robots"}, "vector": {"unsupported_format"}, "placeholder": {"duplicate_bytes"},
}


def has_bad_chunk(url):
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as s:
        s.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return b"".join(iter(lambda: s.recv(65536), b"")).endswith(b"zz-not-hex\r\n")


first_bytes = {}
table, wrong = collections.Counter(), []
for t in rows:
    fate = fates.get(t["row"])
    reason = fate["reason"] if fate else "missing from the tables"
    expect, kind = t["expect"], t["error_class"]
    if t["fault"] == "chunked-bad" and not has_bad_chunk(t["url"]):
        kind = "incomplete"
    if t["fault"] == "short-length":  # a whole answer (RFC 9112 §6.3) with half a picture
        kind = "decode"
    if t["fault"] == "bomb-jpeg" and not t["path"].endswith((".jpg", ".jpeg")):  # a stub without a picture
        kind = "decode"
    if expect.startswith("success"):
        if reason is None:
            # The earliest row with these bytes must be the one that stays.
            right = first_bytes.setdefault(fate["sha256"], t["row"]) == t["row"] and fate["sha256"] == t["sha256"]
        else:
            survivor = next((x for x in rows[:t["row"]] if x["row"] == fate["of"]), None)
            right = survivor is not None and (
                (reason == "duplicate_bytes" and survivor["sha256"] == t["sha256"])
                or (reason == "duplicate_picture" and survivor["picture"] == t["picture"])
                or (reason == "duplicate_url" and survivor["url"].split("#")[0] == t["url"].split("#")[0]))
    elif expect == "depends":
        # A half-broken picture may look like the whole one.
        right = reason in {None, "duplicate_picture"} or reason in CLASSES.get(kind, set())
    else:
        right = reason in CLASSES[kind]
    table[(expect, kind or "-", reason or "kept")] += 1
    if not right:
        wrong.append(f"row {t['row']}: {t['fault'] or 'ok'} expected {expect} {kind}, was {reason or 'kept'}: {t['url']}")

for (expect, kind, reason), count in sorted(table.items()):
    print(f"{count:6}  {expect:20} {kind:12} {reason}")
print(f"{len(rows)} rows, {len(wrong)} disagree")
for line in wrong[:20]:
    print("  " + line)
sys.exit(1 if wrong or len(fates) != len(rows) else 0)
