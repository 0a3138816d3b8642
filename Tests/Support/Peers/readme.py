#!/usr/bin/env python3
"""Puts measured figures into the README's table.

usage: readme.py FIGURES.jsonl README.md
       readme.py --check README.md         only looks whether the table has every row

FIGURES has the JSON lines of pairloom-bench and of the scripts beside this one. A row is found by its whole
first cell, else by the words with which the cell begins, up to the first colon; what is written has the
words below, since these say what the figures are. Rows of which something was not measured are left alone.
Says which rows were written, which were left, and at the end which are missing or not to be told apart;
only then it ends with 1.
"""
import json, re, sys


def load(path):
    """The last figure of each name and side."""
    found = {}
    for line in open(path):
        if line.startswith("{"):
            figure = json.loads(line)
            found[figure.get("figure") or figure["name"], figure.get("side")] = figure
    return found


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def both(name, key, unit=""):
    """Cells of a figure that both sides have."""
    return lambda f: (
        number(f[name, "pairloom"][key]) + unit, "img2dataset " + number(f[name, "img2dataset"][key]) + unit)


def startup(name):
    def cells(f):
        sides = [f[name, side] for side in ("pairloom", "img2dataset")]
        return tuple(f"{s['startup_cpu_s']:.2g}; {number(s['rows_per_cpu_s_without_startup'])}" for s in sides)

    return cells


def stalls(f):
    sides = [f["20,000 rows, 5 % stalling", side] for side in ("pairloom", "img2dataset")]
    words = [
        f"{s['rows_per_s_at_10_percent']:.0f}, {s['rows_per_s_at_90_percent']:.0f}; {s['wall_s']:.0f} s, "
        f"{s['peak_pss_mb']:,.0f} MB" for s in sides]
    return words[0], "img2dataset " + words[1]


def decoding(pictures):
    def cells(f):
        ours, exact, resizer, pillow = (
            number(f[f"decode {pictures}", side]["per_cpu_s"])
            for side in ("pairloom", "pairloom exact", "img2dataset", "Pillow"))
        return f"{ours}; exact, bicubic: {exact}", f"img2dataset's resizer {resizer}; Pillow, bicubic {pillow}"

    return cells


def reading(f):
    ours, web, lz4 = (f["read shards", s] for s in ("pairloom, .tar.lz4", "webdataset, .tar", "lz4 -dc > /dev/null"))
    return (
        f"{number(ours['pairs_per_s'])}",
        f"webdataset on the plain tar {number(web['pairs_per_s'])}; `lz4 -dc` {number(lz4['pairs_per_s'])}")


def by_key(f):
    packed, plain = f["read shards", "by key, .tar.lz4"], f["read shards", "by key, .tar"]
    return f"{number(packed['pairs_per_s'])} and {number(plain['pairs_per_s'])}", ""


def near_duplicates(hashes):
    def cells(f):
        figure = f"near duplicates, {hashes}"
        ours, theirs, ratios = f[figure, "pairloom"], f[figure, "faiss"], f[f"{figure}: ratios", None]
        same = "the same " if ratios["same_pairs"] else "not the same "
        return tuple(
            f"{words}{number(side['cpu_s'])} ({number(side['seconds'])}){pairs}" for words, side, pairs in (
                ("", ours, ""), ("faiss IndexBinaryFlat ", theirs, f", {same}{theirs['pairs']:,} pairs")))

    return cells


def scoring(what, peers, key="pairs_per_s", unit="", ours="pairloom"):
    """A figure of `score.py`, and its times against the peers' in the same rounds."""
    def cells(f):
        own = f[f"score ViT-B-32, {what}", ours]
        theirs = [(peer, f[f"score ViT-B-32, {what}", peer]) for peer in peers]
        if key != "pairs_per_s":
            return number(own[key]) + unit, ", ".join(f"{peer} {number(line[key])}{unit}" for peer, line in theirs)
        return tuple(
            ", ".join(f"{name}{number(line[key])}; {number(line['pairs_per_cpu_s'])}" for name, line in lines)
            for lines in ([("", own)], [(peer + " ", line) for peer, line in theirs]))

    return cells


def share_of_sgemm(f):
    own = f["score ViT-B-32, model alone", "pairloom"]
    return (
        f"{100 * own['share_of_sgemm']:.0f} %",
        f"OpenBLAS alone, in the same rounds: {number(own['sgemm_gflops'])} GFLOP/s")


CLEAN, HOSTILE = "clean list, 4,000 rows", "hostile list, 4,000 rows"
ROWS = {
    "clean list of 4,000, list to shards (256 px, center_crop): rows per CPU second, start-up included":
        both(CLEAN, "rows_per_cpu_s"),
    "– start-up, CPU seconds; rows per CPU second without it": startup(CLEAN),
    "– peak memory, all processes": both(CLEAN, "peak_pss_mb", " MB"),
    "hostile list of 4,000: rows per CPU second, start-up included": both(HOSTILE, "rows_per_cpu_s"),
    "– its start-up, CPU seconds; rows per CPU second without it": startup(HOSTILE),
    "– its peak memory, all processes": both(HOSTILE, "peak_pss_mb", " MB"),
    "20,000 rows, 5 % hanging, dripping or endless: rows/s around the 10 % and the 90 % mark; time, memory": stalls,
    "transfers open at once in one process; its peak memory":
        lambda f: (f"{f['transfers', None]['open']:,}; {number(f['transfers', None]['peak_mb'])} MB", ""),
    "requests to one host in the worst 10 s at a cap of 20 a second, 4 processes":
        lambda f: (f"{f['manners', None]['most_in_10_s']}", ""),
    "decode, resize to 256, encode; pictures per CPU second": decoding("pictures"),
    "– the same, photographs of 12 to 18 megapixels": decoding("photographs"),
    "read `.tar.lz4` in order, pairs/s": reading,
    "read by key, `.tar.lz4` and `.tar`, warm, pairs/s": by_key,
    "all pairs within 6 bits of a million 64-bit hashes, 5 % of them planted: CPU seconds (seconds)": near_duplicates("uniform"),
    "– the same, real pHashes of crops of 4,613 pictures: CPU seconds (seconds)": near_duplicates("crops"),
    "ViT-B-32, model alone, 2 threads: pairs a second; a second of all cores' time":
        scoring("model alone", ["open_clip", "onnxruntime"]),
    "– in int8": scoring("model alone", [], ours="pairloom int8"),
    "– with AVX2 alone": scoring("model alone", [], ours="pairloom, AVX2"),
    "– with AVX2 alone, in int8": scoring("model alone", [], ours="pairloom int8, AVX2"),
    "– what the image tower reaches of OpenBLAS's own rate at its products": share_of_sgemm,
    "ViT-B-32, from JPEG bytes and captions to scores: pairs a second; a second of all cores' time":
        scoring("from bytes", ["open_clip"]),
    "– peak memory, all processes of it": scoring("from bytes", ["open_clip"], "peak_pss_mb", " MB"),
}


def beginning(words):
    """What a row is known by where it is worded otherwise."""
    return words.split(":")[0]


def known_row(cell):
    """The row that a first cell is; None where it is none, or where it may be several."""
    if cell in ROWS:
        return cell
    fitting = [words for words in ROWS if cell.startswith(beginning(words))]
    # A longer beginning says more: "– with AVX2 alone, in int8" is not "– with AVX2 alone".
    longest = max(map(len, map(beginning, fitting)), default=0)
    fitting = [words for words in fitting if len(beginning(words)) == longest]
    return fitting[0] if len(fitting) == 1 else None


def rewrite(lines, figures):
    """Writes the rows in place, and gives what is wrong with the table."""
    places = {}
    for place, line in enumerate(lines):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)][1:-1] if line.startswith("|") else []
        words = known_row(cells[0]) if len(cells) == 4 else None
        if words:
            places.setdefault(words, []).append((place, cells))
    problems = []
    for words in ROWS:
        found = places.get(words, [])
        if len(found) != 1:
            problems.append(f"{'no row' if not found else f'{len(found)} rows'}: {words}")
            continue
        if figures is None:
            continue
        (place, cells), = found
        try:
            ours, theirs = ROWS[words](figures)
        except KeyError as missing:
            print(f"left: {words} ({missing} was not measured)")
            continue
        lines[place] = f"| {words} | {ours} | {theirs} | {cells[3]} |"
        print(f"written: {words}" + (f"; is it still true that {cells[3]}?" if "(" in cells[3] else ""))
    return problems


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    figures = None if sys.argv[1] == "--check" else load(sys.argv[1])
    with open(sys.argv[2]) as file:
        lines = file.read().split("\n")
    problems = rewrite(lines, figures)
    if figures is not None:
        with open(sys.argv[2], "w") as file:
            file.write("\n".join(lines))
    if problems:
        sys.exit("readme.py: the table of the README has\n  " + "\n  ".join(problems))


main()
