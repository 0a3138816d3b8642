#!/usr/bin/env python3
"""Trains the caption language model from Debian's translated texts, and measures it.

Texts: the translated package descriptions of the Debian release that apt is configured for (apt fetches
them into a folder of its own), and the translations of installed programs (*.mo). Two parts in twenty are
held out: whole families of packages (by the first four letters of the name) and whole programs, so that
no held-out text is a variant of one that was learnt from.

A text becomes letters and marks in lower case with single spaces between, its 1- to 4-grams are hashed
into 65,536 rows, and a row holds a weight for each language: logits are the mean of the rows and a bias
(a linear softmax, as fastText's without its hidden layer). Weights are rounded to int8.

    python3 make_model.py --work DIR        needs numpy and torch; takes about ten minutes on 2 cores

Writes model.bin.gz (see CaptionLanguageModel.swift for its layout) and accuracy.txt beside this script.
"""
import argparse, glob, gzip, hashlib, os, re, struct, subprocess, sys, unicodedata
import numpy as np

LANGUAGES = ("en de fr es it pt nl da sv nb fi pl cs sk hu ro ru uk bg el tr ja ko zh vi id ca ar he hi th fa"
             ).split()
# What Debian calls them, where it is not the same.
FOLDERS = {"pt": ["pt", "pt_BR"], "zh": ["zh_CN", "zh_TW"], "nb": ["nb", "no"]}
BUCKETS = 1 << 16
LENGTHS = [20, 40, 80]
CAP = {"en": 6_000_000}  # characters that are learnt from
USUAL_CAP = 2_000_000


def folders(language):
    return FOLDERS.get(language, [language])


def held_out(name):
    return hashlib.sha256(name.encode()).digest()[0] % 10 == 0


def clean(text):
    text = re.sub(r"<[^<>]{0,200}>|https?://\S+|%[-+ #0-9.$]*[hlqjzt]*[a-zA-Z]|\{[^{}]{0,60}\}|\\[a-z]", " ", text)
    return " ".join(text.replace("_", "").replace("&", "").split())


def descriptions(work, language):
    """(family, text) for each paragraph of the translated descriptions."""
    for folder in folders(language):
        for path in glob.glob(f"{work}/lists/*_Translation-{folder.replace('_', '%5f')}*"):
            data = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], capture_output=True, check=True)
            for entry in data.stdout.decode("utf-8", "replace").split("\n\n"):
                package = re.match(r"Package: (\S+)", entry)
                found = re.search(r"^Description-(?!md5)\S+: (.*(?:\n .*)*)", entry, re.M)
                if not package or not found:
                    continue
                name = package.group(1)
                family = (name[3:] if name.startswith("lib") else name)[:4]
                short, *long = found.group(1).split("\n")
                yield "package " + family, short
                for paragraph in "\n".join(long).split("\n .\n"):
                    yield "package " + family, " ".join(line.strip() for line in paragraph.split("\n"))


def messages(path):
    """(original, translation) of a gettext catalogue."""
    data = open(path, "rb").read()
    if len(data) < 28:
        return
    order = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}.get(data[:4])
    if order is None:
        return
    count, originals, translations = struct.unpack(order + "3I", data[8:20])
    for index in range(count):
        texts = []
        for table in (originals, translations):
            length, offset = struct.unpack_from(order + "2I", data, table + 8 * index)
            texts.append(data[offset:offset + length].split(b"\0")[0].decode("utf-8", "replace"))
        if texts[0]:
            yield texts[0].split("\x04")[-1], texts[1]


def translations(language):
    """(program, text) of the installed programs; English is what the German ones translate."""
    for folder in folders("de" if language == "en" else language):
        for path in sorted(glob.glob(f"/usr/share/locale/{folder}/LC_MESSAGES/*.mo")
                           + glob.glob(f"/usr/share/locale-langpack/{folder}/LC_MESSAGES/*.mo")):
            for original, translation in messages(path):
                if original != translation and "�" not in translation:
                    yield "program " + os.path.basename(path), original if language == "en" else translation


def corpus(work, language):
    learnt, held, seen = [], [], set()
    rest = {True: 500_000, False: CAP.get(language, USUAL_CAP)}
    # Programs first: their texts are fewer and more like what people write under pictures.
    for family, text in list(translations(language)) + shuffled(list(descriptions(work, language))):
        text = clean(text)
        is_held = held_out(family)
        if len(text) < 12 or text in seen or rest[is_held] <= 0:
            continue
        seen.add(text)
        rest[is_held] -= len(text)
        (held if is_held else learnt).append(text)
    return learnt, held


def shuffled(items):
    return [items[i] for i in np.random.default_rng(7).permutation(len(items))]


def normalise(text):
    """Code points of the letters and marks in lower case, runs of others as one space, one at each end."""
    out = [32]
    for c in text:
        lower = c.lower()
        if unicodedata.category(c)[0] in "LM":
            # The scalar-wise mapping; İ gives two.
            out.extend(ord(x) for x in lower)
        elif out[-1] != 32:
            out.append(32)
    if out[-1] != 32:
        out.append(32)
    return np.array(out, dtype=np.uint32)


def buckets(codes):
    """The rows of all 1- to 4-grams; a space may stand only at either end of one."""
    rows = []
    n = len(codes)
    space = codes == 32
    hashed = np.full(n, 0x811C9DC5, dtype=np.uint32)
    with np.errstate(over="ignore"):
        for length in range(1, 5):
            count = n - length + 1
            if count <= 0:
                break
            hashed = (hashed[:count] ^ codes[length - 1:length - 1 + count]) * np.uint32(0x01000193)
            good = np.ones(count, dtype=bool)
            if length == 1:
                good &= ~space[:count]
            for inner in range(1, length - 1):
                good &= ~space[inner:inner + count]
            if length == 2:
                good &= ~(space[:count] & space[1:1 + count])
            mixed = hashed ^ (hashed >> np.uint32(15))
            mixed = mixed * np.uint32(0x85EBCA6B)
            rows.append((mixed[good] >> np.uint32(16)).astype(np.int32))
    return np.concatenate(rows) if rows else np.zeros(0, np.int32)


def snippets(texts, random, lengths):
    """Pieces of whole words, of about the lengths that are drawn."""
    for text in texts:
        start = 0
        while start < len(text):
            length = lengths(random)
            if start + length >= len(text) - 6:
                piece = text[start:]
                start = len(text)
            else:
                end = text.find(" ", start + length)
                if end < 0 or end > start + length + 12:
                    end = start + length
                piece = text[start:end]
                start = end + 1
            if sum(c.isalpha() for c in piece) >= 6:
                yield piece


def main():
    import torch
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", required=True)
    parser.add_argument("--epochs", type=int, default=3)
    work = os.path.abspath(parser.parse_args().work)
    epochs = parser.parse_args().epochs
    for folder in ["lists/partial", "cache/archives/partial"]:
        os.makedirs(f"{work}/{folder}", exist_ok=True)
    names = ",".join(f for language in LANGUAGES for f in folders(language))
    subprocess.run(["apt-get", "update", "-qq", "-o", f"Dir::State::Lists={work}/lists",
                    "-o", f"Dir::Cache={work}/cache", "-o", f"Acquire::Languages={names}"], check=True)
    random = np.random.default_rng(1)
    torch.manual_seed(1)
    flat, starts, labels, weights = [], [0], [], []
    tests = []
    for number, language in enumerate(LANGUAGES):
        learnt, held = corpus(work, language)
        count = 0
        for piece in snippets(learnt, random, lambda r: int(r.choice([12, 20, 30, 45, 70, 110]))):
            rows = buckets(normalise(piece))
            if len(rows) == 0:
                continue
            flat.append(rows.astype(np.uint16))
            starts.append(starts[-1] + len(rows))
            labels.append(number)
            count += 1
        weights.append(count)
        for length in LENGTHS:
            pieces = [p for p in snippets(held, random, lambda r: length) if abs(len(p) - length) <= 12]
            tests.append((number, length, shuffled(pieces)[:3000]))
        print(f"{language}: {sum(map(len, learnt)):,} characters learnt from in {count:,} pieces, "
              f"{sum(map(len, held)):,} held out", flush=True)
    flat = np.concatenate(flat)
    starts = np.array(starts)
    labels = np.array(labels)
    bag = torch.nn.EmbeddingBag(BUCKETS, len(LANGUAGES), mode="mean")
    torch.nn.init.zeros_(bag.weight)
    bias = torch.nn.Parameter(torch.zeros(len(LANGUAGES)))
    # A rare language is as likely as a frequent one, English four times so: most captions are English.
    share = torch.tensor([1 / max(1, w) for w in weights]) * len(labels) / len(LANGUAGES)
    share[0] *= 4
    share.clamp_(max=20)
    loss = torch.nn.CrossEntropyLoss(weight=share)
    optimizer = torch.optim.Adam(list(bag.parameters()) + [bias], lr=0.5)
    batch = 8192
    steps = epochs * (len(labels) // batch + 1)
    step = 0
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        total = 0.0
        for begin in range(0, len(order), batch):
            chosen = order[begin:begin + batch]
            counts = starts[chosen + 1] - starts[chosen]
            places = np.repeat(starts[chosen] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) \
                + np.arange(counts.sum())
            offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)[:-1]]))
            logits = bag(torch.from_numpy(flat[places].astype(np.int64)), offsets) + bias
            value = loss(logits, torch.from_numpy(labels[chosen]))
            for group in optimizer.param_groups:
                group["lr"] = 0.5 * (1 - step / steps) + 0.005
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            with torch.no_grad():
                bag.weight.clamp_(-32, 32)
            total += value.item()
            step += 1
        print(f"epoch {epoch + 1}: loss {total / (len(order) / batch):.4f}", flush=True)
    table = bag.weight.detach().numpy()
    scale = float(np.abs(table).max()) / 127
    quantised = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
    offsets = bias.detach().numpy().astype(np.float32)
    here = os.path.dirname(os.path.abspath(__file__))
    head = b"PLCL" + struct.pack("<IIf", len(LANGUAGES), BUCKETS, scale)
    head += ("".join(code.ljust(4, "\0") for code in LANGUAGES)).encode() + offsets.tobytes()
    with open(f"{here}/model.bin.gz", "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, compresslevel=9) as packed:
            packed.write(head + quantised.tobytes())
    measure(here, tests, quantised.astype(np.float32) * scale, offsets)


def measure(here, tests, table, offsets):
    """Held-out accuracy of the rounded model, by language and length."""
    right, english, said = {}, {}, {}
    for number, length, pieces in tests:
        hits = 0
        for piece in pieces:
            rows = buckets(normalise(piece))
            if len(rows) == 0:
                continue
            answer = int(np.argmax(table[rows].mean(axis=0) + offsets))
            hits += answer == number
            if answer == 0:
                said[length, number] = said.get((length, number), 0) + 1
        right[number, length] = (hits, len(pieces))
    lines = ["Held-out accuracy of the caption language model, in percent, by the length of the text.",
             "Pieces of whole families of packages and whole programs that were not learnt from.", "",
             "language  " + "".join(f"{length:>7} characters" for length in LENGTHS) + "   pieces"]
    for number, language in enumerate(LANGUAGES):
        cells = []
        for length in LENGTHS:
            hits, count = right[number, length]
            cells.append(f"{100 * hits / count:18.1f}" if count else "                 –")
        lines.append(f"{language:10}" + "".join(cells)
                     + f"   {sum(right[number, length][1] for length in LENGTHS)}")
    mean = [np.mean([right[n, length][0] / right[n, length][1] for n in range(len(LANGUAGES))
                     if right[n, length][1]]) for length in LENGTHS]
    lines.append(f"{'mean':10}" + "".join(f"{100 * m:18.1f}" for m in mean))
    lines += ["", "Of pieces in other languages, the share taken for English:"]
    other = []
    for length in LENGTHS:
        counts = [(said.get((length, n), 0), right[n, length][1]) for n in range(1, len(LANGUAGES))]
        other.append(100 * sum(a for a, _ in counts) / max(1, sum(b for _, b in counts)))
    lines.append("          " + "".join(f"{m:18.2f}" for m in other))
    text = "\n".join(lines) + "\n"
    open(f"{here}/accuracy.txt", "w").write(text)
    print(text)


if __name__ == "__main__":
    main()
