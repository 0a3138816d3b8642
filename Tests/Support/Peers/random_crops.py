"""Crops files of every mode that Pillow opens as torchvision's RandomResizedCrop does, for the test of ours.

Arguments: a seed, a number of rounds, and how many draws of boxes. Prints a line of JSON for each file: name, file
(base64), and cases: box (left, top, width, height), size, and the SHA-256 of the 8-bit picture after `resized_crop`
(bicubic, antialias) and `convert("RGB")`, which is open_clip's order. Then a line for each draw: width, height, scale, the
uniform draws, and the box that `get_params` makes of them. The tests' fixture random_crops.jsonl is `7 1 200`, made with
torchvision 0.29.2 and Pillow 13.0.0.
"""

import base64
import hashlib
import io
import json
import sys

seed, rounds, draws = sys.argv[1:4]
sys.argv = [sys.argv[0], seed, "0", "squares"]  # only its makers of files are wanted
import open_clip_files as files
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional

source = files.source


def boxes(width, height):
    """The whole, parts at each border and corner, one of a pixel, and some by chance."""
    yield 0, 0, width, height
    part = max(1, width * 2 // 3), max(1, height * 2 // 3)
    for left in {0, width - part[0]}:
        for top in {0, height - part[1]}:
            yield left, top, *part
    yield source.randrange(width), source.randrange(height), 1, 1
    for _ in range(2):
        w, h = source.randint(1, width), source.randint(1, height)
        yield source.randint(0, width - w), source.randint(0, height - h), w, h


def cases(file, width, height):
    for left, top, w, h in boxes(width, height):
        # Smaller, larger, and where it can be the same size: then nothing is resized.
        for size in {7, 24, w if w == h else 7}:
            picture = Image.open(io.BytesIO(file))
            picture = functional.resized_crop(
                picture, top, left, h, w, [size, size], InterpolationMode.BICUBIC, antialias=True)
            pixels = picture.convert("RGB").tobytes()
            yield {"box": [left, top, w, h], "size": size, "sha256": hashlib.sha256(pixels).hexdigest()}


def draw_box():
    """get_params with draws of its own: of single precision for share and ratio, as torch draws them."""
    taken = []
    def draw():
        taken.append(source.getrandbits(24) / 2**24)
        return taken[-1]
    class Drawn:
        def uniform_(self, low, high):
            low, high = (torch.as_tensor(float(x), dtype=torch.float32) for x in (low, high))
            return torch.tensor([draw()], dtype=torch.float32) * (high - low) + low
    width, height = source.choice([(source.randint(1, 900), source.randint(1, 900)), (1, 40), (300, 2), (256, 256)])
    scale = source.choice([(0.9, 1.0), (0.08, 1.0), (0.3, 1.0), (1.0, 1.0)])
    empty, randint = torch.empty, torch.randint
    torch.empty = lambda count: Drawn()
    torch.randint = lambda low, high, size: torch.tensor([min(high - 1, low + int(draw() * (high - low)))])
    try:
        top, left, h, w = RandomResizedCrop.get_params(Image.new("L", (width, height)), list(scale), [3 / 4, 4 / 3])
    finally:
        torch.empty, torch.randint = empty, randint
    return {"width": width, "height": height, "scale": list(scale), "draws": taken, "drawn": [left, top, w, h]}


for _ in range(int(rounds)):
    for width, height in [(source.randrange(9, 60), source.randrange(9, 60)), (1, source.randrange(2, 40)), (source.randrange(2, 40), 1)]:
        for name, file in files.made(width, height):
            opened = Image.open(io.BytesIO(file))
            print(json.dumps({
                "name": f"{name}, {width}x{height}", "file": base64.b64encode(file).decode(),
                "cases": list(cases(file, *opened.size))}))
for _ in range(int(draws)):
    print(json.dumps(draw_box()))
