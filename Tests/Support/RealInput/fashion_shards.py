#!/usr/bin/env python3
"""Fashion-MNIST as WebDataset tars: PNG, caption, class.

usage: fashion_shards.py OUT [--source /usr/share/datasets/fashion-mnist]      (Debian's dataset-fashion-mnist; wants Pillow)

Writes OUT/train-0000N.tar (60,000 pairs) and OUT/test-00000.tar (10,000): KEY.png, KEY.txt and KEY.cls, and KEY.json with
the class as `label`. The caption of a training picture is a template with its class's name, drawn by the picture's
number; OUT/classes.txt and OUT/templates.txt hold both. The same bytes each time.
"""
import argparse, gzip, io, json, os, random, struct, tarfile

from PIL import Image

CLASSES = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
TEMPLATES = ["a photo of a {}.", "a grey picture of a {}.", "a small photo of the {}.", "a {} on a black background.",
             "a product photo of a {}.", "the {}.", "a picture of one {}."]
options = argparse.ArgumentParser()
options.add_argument("out")
options.add_argument("--source", default="/usr/share/datasets/fashion-mnist")
options = options.parse_args()


def values(name, header):
    data = gzip.open(f"{options.source}/{name}.gz").read()
    counts = struct.unpack(f">{header}I", data[4:4 + 4 * header])
    return counts[0], data[4 + 4 * header:]


def write(split, name, shards):
    count, pixels = values(name + "-images-idx3-ubyte", 3)
    labelled, labels = values(name + "-labels-idx1-ubyte", 1)
    assert count == labelled and len(pixels) == count * 784
    each = -(-count // shards)
    for shard in range(shards):
        with tarfile.open(f"{options.out}/{split}-{shard:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for i in range(shard * each, min(count, (shard + 1) * each)):
                png = io.BytesIO()
                Image.frombytes("L", (28, 28), pixels[i * 784:(i + 1) * 784]).save(png, "PNG")
                caption = random.Random(i).choice(TEMPLATES).replace("{}", CLASSES[labels[i]])
                for kind, data in [
                    ("png", png.getvalue()), ("txt", caption.encode()), ("cls", str(labels[i]).encode()),
                    ("json", json.dumps({"label": labels[i]}).encode())]:
                    member = tarfile.TarInfo(f"{split}{i:05d}.{kind}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))


os.makedirs(options.out, exist_ok=True)
write("train", "train", 6)
write("test", "t10k", 1)
for name, lines in [("classes", CLASSES), ("templates", TEMPLATES)]:
    with open(f"{options.out}/{name}.txt", "w") as file:
        file.write("\n".join(lines) + "\n")
