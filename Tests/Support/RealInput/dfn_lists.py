#!/usr/bin/env python3
"""Lists of the shared corpus for a filter network: a trusted one, a dirty one, and pairs that neither holds.

usage: dfn_lists.py DATA BASE OUT [--mismatch 0.3]

Writes OUT/trusted.csv (quality A, each picture with its own caption), OUT/dirty.csv and its truth (quality A and
B, a known share with a caption of another picture; made by DATA/make_lists.py), OUT/matched.csv (quality A) and
OUT/mismatched.csv, whose captions are those of matched.csv moved on among the pictures. Pictures that look alike
by the corpus's groups, or are one emoji in several skins, stand in one list only; no caption stands in both
trusted.csv and matched.csv, and none twice in matched.csv. Which list a group goes to is a hash of its first path.
"""
import argparse, collections, csv, hashlib, json, os, random, subprocess, sys
from urllib.parse import quote

options = argparse.ArgumentParser()
options.add_argument("data")
options.add_argument("base")
options.add_argument("out")
options.add_argument("--mismatch", type=float, default=0.3)
options = options.parse_args()
pictures = [json.loads(line) for line in open(options.data + "/corpus/captions.jsonl", encoding="utf-8")]
emoji = {p["caption"].split(":")[0] for p in pictures if "skin tone" in p["caption"]}


def traits(picture):
    """What another picture must not share to be in another list."""
    name = picture["caption"].split(":")[0].split(",")[0]
    skin = "skin:" + name if picture["source"] == "noto-emoji" and name in emoji else None
    return {picture.get("natural_group"), picture.get("lookalike_group"), skin} - {None, ""}


# Groups grow together over the traits that their pictures share.
leader = {p["path"]: p["path"] for p in pictures}


def first_of(path):
    while leader[path] != path:
        path = leader[path]
    return path


holder = {}
for picture in pictures:
    for trait in traits(picture):
        one, other = sorted((first_of(holder.setdefault(trait, picture["path"])), first_of(picture["path"])))
        leader[other] = one


def place(path):
    share = int.from_bytes(hashlib.sha256(first_of(path).encode()).digest()[:4], "big") / 2**32
    return "trusted" if share < 0.65 else "dirty" if share < 0.8 else "unseen"


def write(name, rows):
    with open(f"{options.out}/{name}.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["url", "caption"])
        urls = set()
        for path, caption in rows:
            url = f"{options.base}/ok/{quote(path)}"
            # A run asks a URL once; another caption of the picture comes under another one.
            while url in urls:
                url += "?again" if "?" not in url else "+"
            urls.add(url)
            table.writerow([url, caption])


os.makedirs(options.out, exist_ok=True)
good = [p for p in pictures if p["quality"] == "A"]
matched = {}
for picture in good:
    if place(picture["path"]) == "unseen":
        matched.setdefault(picture["caption"], picture["path"])
matched = [(path, caption) for caption, path in matched.items()]
random.Random(1).shuffle(matched)
captions = {caption for _, caption in matched}
trusted = [
    (p["path"], caption) for p in good if place(p["path"]) == "trusted"
    for caption in [p["caption"]] + [c for c in p["alt_captions"] if " " in c] if caption not in captions]
write("trusted", trusted)
write("matched", matched)
# No caption stands twice, so moving on by one is a derangement.
write("mismatched", [(path, matched[i - 1][1]) for i, (path, _) in enumerate(matched)])

# make_lists.py knows two splits; to it the dirty pictures are the one held out.
split = {p["path"]: "heldout" if place(p["path"]) == "dirty" else "dev" for p in pictures}
with open(options.out + "/split.json", "w", encoding="utf-8") as file:
    json.dump({"split": split}, file)
taken = set()
dirty = 0
for picture in pictures:
    group = picture.get("lookalike_group")
    if split[picture["path"]] == "heldout" and picture["quality"] in "AB" and not (group and group in taken):
        taken.add(group)
        dirty += 1
subprocess.run(
    [sys.executable, options.data + "/make_lists.py", "-n", str(dirty), "--preset", "clean", "--split", "heldout",
     "--split-file", options.out + "/split.json", "--quality", "A,B", "--mismatch", str(options.mismatch),
     "--base", options.base, "--formats", "csv", "--out", options.out + "/dirty"],
    check=True, stdout=subprocess.DEVNULL)
print(f"trusted {len(trusted)}, dirty {dirty} ({options.mismatch:.0%} mismatched), unseen {len(matched)} pairs")
