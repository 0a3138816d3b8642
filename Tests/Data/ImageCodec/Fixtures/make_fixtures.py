"""Makes the fixtures of this folder: pictures by Pillow, and what Pillow makes of them.

Run with Python 3.11 and `pip install pillow==13.0.0 numpy`; it overwrites images.json and
resample.json. Bytes travel as base64.
"""
import base64
import io
import json
import os
import struct
import zlib

import numpy as np
from PIL import Image, features

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def fnv1a(data):
    """The 64-bit FNV-1a hash, which stands for the pixels in resample.json to keep it small."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{value:016x}"


def picture(width, height, noise=12):
    y, x = np.mgrid[0:height, 0:width]
    r = 127 + 120 * np.sin(x / 5.0 + y / 17.0)
    g = 127 + 120 * np.cos(y / 4.0 - x / 23.0)
    b = 255.0 * ((x // 6 + y // 5) % 2)
    rgb = np.stack([r, g, b], -1) + rng.normal(0, noise, (height, width, 3))
    return np.clip(rgb, 0, 255).astype(np.uint8)


def on_white(rgba):
    rgba = rgba.astype(np.int64)
    a = rgba[..., 3:]
    return ((a * rgba[..., :3] + (255 - a) * 255) * 2 + 255) // 510  # round(v / 255), no ties


def encoded(image, fmt, **options):
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


images = []


def add(name, data, rgb, tolerance=0):
    """`tolerance`: how far a pixel may be off; not 0 only where two JPEG libraries may differ."""
    rgb = np.asarray(rgb, np.uint8)
    images.append({
        "name": name, "width": rgb.shape[1], "height": rgb.shape[0], "bytes": b64(data),
        "rgb": b64(rgb.tobytes()), "tolerance": tolerance})


def add_decoded(name, data, tolerance=0):
    add(name, data, Image.open(io.BytesIO(data)).convert("RGB"), tolerance)


rgb = picture(45, 31)
im = Image.fromarray(rgb)
grey = im.convert("L")
alpha = np.linspace(0, 255, 45 * 31).reshape(31, 45).astype(np.uint8)
rgba = np.concatenate([rgb, alpha[..., None]], -1)

# JPEG. The same algorithms in both libraries: equal pixels expected.
add_decoded("jpeg baseline 4:2:0", encoded(im, "JPEG", quality=90))
add_decoded("jpeg progressive 4:4:4", encoded(im, "JPEG", quality=90, progressive=True, subsampling=0))
add_decoded("jpeg 4:2:2 optimised", encoded(im, "JPEG", quality=60, subsampling=1, optimize=True))
add_decoded("jpeg grey", encoded(grey, "JPEG", quality=90))
add_decoded("jpeg restart markers", encoded(im, "JPEG", quality=90, restart_marker_blocks=2))
cmyk = im.convert("CMYK")
data = encoded(cmyk, "JPEG", quality=95)  # Pillow writes an Adobe marker and inverted inks
add_decoded("jpeg cmyk adobe", data)
add_decoded("jpeg trailing garbage", encoded(im, "JPEG", quality=90) + b"\0garbage\xff\xd9" * 20)
# The same file with Adobe's transform 2: the scan then holds YCCK of the inverted inks.
at = data.index(b"Adobe")
ycck = bytearray(data)
ycck[at + 11] = 2
add_decoded("jpeg ycck adobe", bytes(ycck))
# Without the Adobe marker the inks are not inverted: what Pillow shows of the negative.
plain = data[:at - 4] + data[at + 12:]
stored = 255 - np.asarray(Image.open(io.BytesIO(data)))
add("jpeg cmyk without adobe", plain, Image.fromarray(stored.astype(np.uint8), "CMYK").convert("RGB"))

# PNG.
add("png rgb", encoded(im, "PNG"), rgb)
add("png rgba", encoded(Image.fromarray(rgba), "PNG"), on_white(rgba))
add_decoded("png grey", encoded(grey, "PNG"))
la = np.stack([np.asarray(grey), alpha], -1)
add("png grey alpha", encoded(Image.fromarray(la, "LA"), "PNG"),
    on_white(np.concatenate([la[..., :1]] * 3 + [la[..., 1:]], -1)))
add_decoded("png 1 bit", encoded(grey.convert("1"), "PNG"))
palette = im.quantize(16)
add_decoded("png palette 4 bits", encoded(palette, "PNG", bits=4))
p = np.asarray(palette)
table = np.array(palette.getpalette()[:48]).reshape(16, 3)
tr = bytes(range(0, 256, 16))
full = np.concatenate([table[p], np.frombuffer(tr, np.uint8)[p][..., None]], -1)
add("png palette tRNS", encoded(palette, "PNG", transparency=tr), on_white(full))
key = tuple(int(v) for v in rgb[3, 4])
keyed = np.concatenate([rgb, np.where((rgb == key).all(-1), 0, 255)[..., None]], -1)
add("png rgb tRNS", encoded(im, "PNG", transparency=key), on_white(keyed))
grey16 = (np.asarray(grey).astype(np.uint16) << 8) | rng.integers(0, 256, (31, 45), dtype=np.uint16)
add("png grey 16 bits", encoded(Image.fromarray(grey16), "PNG"),
    np.stack([(grey16 >> 8).astype(np.uint8)] * 3, -1))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, rows, interlace=0, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def adam7(array):
    out = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = array[y0::dy, x0::dx]
        if part.size:
            out += b"".join(b"\0" + row.tobytes() for row in part)
    return out


rgba16 = (rgba.astype(">u2") << 8) | 0x37
rgba16 = rgba16.astype(">u2")
add("png rgba 16 bits", png(45, 31, 16, 6, b"".join(b"\0" + r.tobytes() for r in rgba16)), on_white(rgba))
add("png interlaced rgb", png(45, 31, 8, 2, adam7(rgb), 1), rgb)
add("png interlaced rgba", png(45, 31, 8, 6, adam7(rgba), 1), on_white(rgba))
add("png interlaced 3x3", png(3, 3, 8, 2, adam7(rgb[:3, :3]), 1), rgb[:3, :3])
bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 20_000_000, 9))
add("png with a text of 20 MB", png(5, 4, 8, 2, b"".join(b"\0" + r.tobytes() for r in rgb[:4, :5]), 0, bomb), rgb[:4, :5])

# WebP.
add_decoded("webp lossy", encoded(im, "WEBP", quality=80))
add_decoded("webp lossless", encoded(im, "WEBP", lossless=True))
for name, options in [("webp lossless alpha", dict(lossless=True, exact=True)),
                      ("webp lossy alpha", dict(quality=80))]:
    data = encoded(Image.fromarray(rgba), "WEBP", **options)
    add(name, data, on_white(np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))))
other = Image.fromarray(picture(45, 31))
for name, options in [("webp animation", dict(quality=80)), ("webp animation lossless", dict(lossless=True))]:
    data = encoded(im, "WEBP", save_all=True, append_images=[other], duration=100, **options)
    add_decoded(name, data)
blob = rgba.copy()
blob[...] = 0
blob[6:20, 10:30] = rgba[6:20, 10:30]
data = encoded(Image.fromarray(blob), "WEBP", save_all=True, append_images=[Image.fromarray(rgba)],
               duration=100, lossless=True, exact=False)
add("webp animation alpha", data, on_white(np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))))

# GIF.
quantised = im.quantize(32)
add_decoded("gif", encoded(quantised, "GIF", interlace=0))
add_decoded("gif interlaced", encoded(quantised, "GIF", interlace=1))
add_decoded("gif animation", encoded(quantised, "GIF", save_all=True, append_images=[other.quantize(32)]))
q = np.asarray(quantised)
qtable = np.array(quantised.getpalette()[:96]).reshape(32, 3)
seen = np.concatenate([qtable[q], np.where(q == 5, 0, 255)[..., None]], -1)
add("gif transparent", encoded(quantised, "GIF", transparency=5), on_white(seen))

with open(os.path.join(HERE, "images.json"), "w") as out:
    json.dump({"made_by": f"Pillow {Image.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, "
               f"libwebp {features.version('webp')}", "images": images}, out, indent=1)
    out.write("\n")

# Resampling.
filters = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR,
           "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
sources = {"61x47": picture(61, 47, 40), "5x7": picture(5, 7, 60), "1x1": picture(1, 1), "200x3": picture(200, 3)}
extreme = rng.integers(0, 2, (40, 40, 3), dtype=np.uint8) * 255  # overshoots: the clamp is used
sources["extreme"] = extreme
cases = []
jobs = [("61x47", None, [(30, 20), (61, 20), (30, 47), (8, 8), (61, 47), (100, 90), (1, 1), (200, 11)]),
        ("61x47", (3, 5, 40, 40), [(20, 20), (37, 35), (50, 60)]),
        ("61x47", (0.5, 1.25, 59.75, 46.1), [(24, 24), (61, 47), (33, 90)]),
        ("61x47", (10.3, 0, 50.7, 47), [(40, 47), (11, 47)]),
        ("5x7", None, [(3, 3), (64, 64), (5, 3)]), ("1x1", None, [(9, 5)]),
        ("61x47", (20, 2, 50.5, 45), [(28, 20), (60, 12)]), ("200x3", None, [(7, 2), (32, 32)]), ("extreme", None, [(17, 23), (64, 50), (39, 39)])]
for source, box, sizes in jobs:
    for size in sizes:
        for name, value in filters.items():
            made = Image.fromarray(sources[source]).resize(size, value, box=box)
            cases.append({"source": source, "box": list(box) if box else None, "width": size[0],
                          "height": size[1], "filter": name,
                          "fnv1a": fnv1a(np.asarray(made).tobytes())})
with open(os.path.join(HERE, "resample.json"), "w") as out:
    json.dump({"made_by": f"Pillow {Image.__version__}",
               "sources": {k: {"width": v.shape[1], "height": v.shape[0], "rgb": b64(v.tobytes())}
                           for k, v in sources.items()},
               "cases": cases}, out, indent=1)
    out.write("\n")
