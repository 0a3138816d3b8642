"""Puts files of every mode that Pillow opens through open_clip's own evaluation transform.

Arguments: a seed, a number of rounds, and what to keep: `floats` or `squares`. Prints a line of JSON for each file: name,
file (base64), and cases: filter, resizeMode, fillColor and the SHA-256 of open_clip's floats (little endian), or of the 8-bit
picture of 16 by 16 before them. The tests' fixture file_modes.jsonl is `7 1 squares`, made with open_clip 3.3.0 and Pillow
13.0.0.
"""

import base64
import hashlib
import io
import json
import random
import struct
import sys
import zlib

from open_clip.transform import image_transform
from PIL import Image

source = random.Random(int(sys.argv[1]))
keeps_floats = sys.argv[3] == "floats"


def png(width, height, depth, kind, *chunks):
    """A PNG of random samples, of any depth and colour type."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    rows = b"".join(b"\0" + source.randbytes((width * channels * depth + 7) // 8) for _ in range(height))
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)), *chunks]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def made(width, height):
    """Names and files of one size."""
    def noise(mode):
        count = width * height * len(mode)
        # Few levels and a slope: noise alone would hide a shift.
        pixels = bytes((i * 255 // count + source.randrange(60)) % 256 for i in range(count))
        return Image.frombytes(mode, (width, height), pixels)
    for depth in (1, 2, 4, 8, 16):
        yield f"grey {depth}", png(width, height, depth, 0)
    yield "grey 8, a level transparent", png(width, height, 8, 0, (b"tRNS", b"\0\7"))
    yield "grey 16, a level transparent", png(width, height, 16, 0, (b"tRNS", b"\0\7"))
    # Levels below 256 are the ones that stay told apart.
    dark = Image.frombytes("I;16", (width, height), b"".join(
        struct.pack("<H", source.randrange(300)) for _ in range(width * height)))
    yield "grey 16, dark", saved(dark, "PNG")
    for depth in (8, 16):
        yield f"rgb {depth}", png(width, height, depth, 2)
        yield f"grey and alpha {depth}", png(width, height, depth, 4)
        yield f"rgba {depth}", png(width, height, depth, 6)
    yield "rgb 8, a colour transparent", png(width, height, 8, 2, (b"tRNS", source.randbytes(6)))
    for depth in (1, 2, 4, 8):
        palette = (b"PLTE", source.randbytes(3 << depth))
        yield f"palette {depth}", png(width, height, depth, 3, palette)
        yield f"palette {depth}, transparent", png(
            width, height, depth, 3, palette, (b"tRNS", source.randbytes(1 << depth)))
    indexed = noise("RGB").quantize(23)
    yield "gif", saved(indexed, "GIF")
    yield "gif, transparent", saved(indexed, "GIF", transparency=3)
    yield "gif, grey", saved(noise("L"), "GIF")
    for name, options in (("gif on a canvas", {}), ("gif on a transparent canvas", {"transparency": 3})):
        file = bytearray(saved(indexed, "GIF", **options))
        file[6:10] = struct.pack("<HH", width + 5, height + 3)
        yield name, bytes(file)
    yield "webp", saved(noise("RGB"), "WEBP", lossless=True)
    yield "webp, alpha", saved(noise("RGBA"), "WEBP", lossless=True, exact=True)
    yield "webp, lossy alpha", saved(noise("RGBA"), "WEBP", quality=70)
    yield "jpeg", saved(noise("RGB"), "JPEG")
    yield "jpeg, grey", saved(noise("L"), "JPEG")
    inks = saved(noise("CMYK"), "JPEG")
    yield "jpeg, inks", inks
    start = inks.index(b"\xff\xee")
    yield "jpeg, inks without Adobe's mark", inks[:start] + inks[start + 2 + struct.unpack(">H", inks[start + 2 : start + 4])[0] :]


for _ in range(int(sys.argv[2])):
    # The last size is that of the result: nothing is resized, and alpha not multiplied.
    for width, height in [(source.randrange(5, 60), source.randrange(5, 60)), (16, 16)]:
        for name, file in made(width, height):
            cases = []
            for mode in ("shortest", "longest", "squash"):
                interpolation, fill = source.choice(["bicubic", "bilinear"]), source.choice([0, 1, 127, 255])
                transform = image_transform(
                    16, is_train=False, interpolation=interpolation, resize_mode=mode, fill_color=fill)
                picture = Image.open(io.BytesIO(file))
                if keeps_floats:
                    values = transform(picture).contiguous().numpy().astype("<f4").tobytes()
                else:
                    for step in transform.transforms[:-2]:
                        picture = step(picture)
                    values = picture.tobytes()
                cases.append({"filter": interpolation, "resizeMode": mode, "fillColor": fill,
                              "sha256": hashlib.sha256(values).hexdigest()})
            print(json.dumps({
                "name": f"{name}, {width}x{height}", "file": base64.b64encode(file).decode(), "cases": cases}))
