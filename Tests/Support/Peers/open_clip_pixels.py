"""Puts pictures through open_clip's own evaluation transform, for the test of our preprocessing.

Arguments: a folder to write to, then pictures of any format that Pillow reads. For each of them, and for made
pictures of odd sizes, each interpolation and each resize mode: a line of JSON with width, height, size and mode, the
picture's bytes as N.rgb and the floats of open_clip as N.f32 (little endian).
"""

import json
import pathlib
import random
import sys

from open_clip.transform import image_transform
from PIL import Image

folder = pathlib.Path(sys.argv[1])
source = random.Random(7)
pictures = []
for width, height in [(50, 37), (37, 50), (32, 32), (33, 32), (32, 35), (300, 41), (9, 200), (5, 5), (101, 77), (64, 63)]:
    pictures.append(Image.frombytes("RGB", (width, height), source.randbytes(width * height * 3)))
pictures += [Image.open(path).convert("RGB") for path in sys.argv[2:]]

number = 0
for picture in pictures:
    size = source.choice([32, 33, 64]) if picture.width * picture.height < 30_000 else 224
    for interpolation in ("bicubic", "bilinear"):
        for mode in ("shortest", "longest", "squash"):
            fill = source.choice([0, 0, 127])
            transform = image_transform(
                size, is_train=False, interpolation=interpolation, resize_mode=mode, fill_color=fill)
            values = transform(picture)
            (folder / f"{number}.rgb").write_bytes(picture.tobytes())
            (folder / f"{number}.f32").write_bytes(values.contiguous().numpy().astype("<f4").tobytes())
            print(json.dumps({
                "number": number, "width": picture.width, "height": picture.height, "size": size,
                "filter": interpolation, "resizeMode": mode, "fillColor": fill}))
            number += 1
