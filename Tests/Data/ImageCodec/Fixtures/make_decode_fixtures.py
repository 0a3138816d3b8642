"""Makes decode.json: small pictures with orientation, profiles, EXIF and odd PNG layouts, and what
Pillow, ImageCms, exifread and plain numpy make of them.

Run with Python 3.11 and `pip install pillow==13.0.0 numpy exifread-nocycle==3.0.1`.
"""
import base64
import io
import json
import os
import struct
import zlib

import exifread
import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
cases = []


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def add(name, data, rgb, tolerance=0, exif=None):
    """`rgb`: upright, in sRGB, alpha on white. `tolerance`: how far a value may be off."""
    rgb = np.asarray(rgb, np.uint8)
    cases.append({"name": name, "bytes": b64(data), "width": rgb.shape[1], "height": rgb.shape[0],
                  "rgb": b64(rgb.tobytes()), "tolerance": tolerance, "exif": exif})


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def on_white(rgba):
    rgba = np.asarray(rgba).astype(np.int64)
    a = rgba[..., 3:]
    return ((a * rgba[..., :3] + (255 - a) * 255) * 2 + 255) // 510


y, x = np.mgrid[0:13, 0:22]
base = np.stack([x * 11, y * 19, (x * 7 + y * 5) % 256], -1).astype(np.uint8)
picture = Image.fromarray(base)

# Orientation.
for value in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = value
    for kind, options in [("JPEG", {"quality": 92}), ("PNG", {}), ("WEBP", {"lossless": True})]:
        data = encoded(picture, kind, exif=exif, **options)
        add(f"orientation {value} {kind}", data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
for value in (0, 9, 65535):
    exif = Image.Exif()
    exif[0x0112] = value
    data = encoded(picture, "JPEG", exif=exif, quality=92)
    add(f"orientation {value} is none", data, Image.open(io.BytesIO(data)))


# Profiles, written by hand: ICC.1:2010.
def tag_xyz(*v):
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(c * 65536)) for c in v)


def tag_gamma(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def tag_text(text):
    body = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(body)) + body + b"\0" * 78


def profile(space, pcs, tags, kind=b"mntr"):
    count = len(tags)
    table, body, at = b"", b"", 128 + 4 + 12 * count
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + struct.pack(">I", count) + table + body


white = tag_xyz(0.9642, 1.0, 0.8249)
wide = profile(b"RGB ", b"XYZ ", [
    (b"desc", tag_text("Wide")), (b"wtpt", white), (b"rXYZ", tag_xyz(0.6097, 0.3111, 0.0195)),
    (b"gXYZ", tag_xyz(0.2053, 0.6257, 0.0609)), (b"bXYZ", tag_xyz(0.1492, 0.0632, 0.7446)),
    (b"rTRC", tag_gamma(2.2)), (b"gTRC", tag_gamma(2.2)), (b"bTRC", tag_gamma(2.2)),
    (b"cprt", b"text\0\0\0\0none\0")])
grey_linear = profile(b"GRAY", b"XYZ ", [
    (b"desc", tag_text("Linear grey")), (b"wtpt", white), (b"kTRC", tag_gamma(1.0)),
    (b"cprt", b"text\0\0\0\0none\0")])


def cmyk_table():
    """lut8 of two grid points: Lab of each corner of ink, crude but smooth."""
    corners = b""
    for c in (0, 1):
        for m in (0, 1):
            for ye in (0, 1):
                for k in (0, 1):
                    light = 255 * (1 - 0.3 * c) * (1 - 0.4 * m) * (1 - 0.1 * ye) * (1 - 0.9 * k)
                    a = 128 + (60 * m - 40 * c) * (1 - k)
                    b = 128 + (70 * ye - 50 * c) * (1 - k)
                    corners += bytes([round(light), round(a), round(b)])
    ramp = bytes(range(256))
    matrix = b"".join(struct.pack(">i", v) for v in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    return b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + corners + ramp * 3


inks = profile(b"CMYK", b"Lab ", [
    (b"desc", tag_text("Inks")), (b"wtpt", white), (b"A2B0", cmyk_table()),
    (b"cprt", b"text\0\0\0\0none\0")], b"prtr")
srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def converted(image, icc):
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")


# lcms2 of other editions rounds some values the other way: one level.
for kind, options in [("JPEG", {"quality": 92}), ("PNG", {}), ("WEBP", {"lossless": True})]:
    data = encoded(picture, kind, icc_profile=wide, **options)
    add(f"wide RGB profile {kind}", data, converted(Image.open(io.BytesIO(data)).convert("RGB"), wide), 1)
grey = picture.convert("L")
for kind, options in [("JPEG", {"quality": 92}), ("PNG", {})]:
    data = encoded(grey, kind, icc_profile=grey_linear, **options)
    add(f"grey profile {kind}", data, converted(Image.open(io.BytesIO(data)), grey_linear), 1)
data = encoded(picture.convert("CMYK"), "JPEG", quality=95, icc_profile=inks)
add("CMYK profile JPEG", data, converted(Image.open(io.BytesIO(data)), inks), 1)
alpha = np.linspace(0, 255, 13 * 22).reshape(13, 22).astype(np.uint8)
rgba = np.concatenate([base, alpha[..., None]], -1)
data = encoded(Image.fromarray(rgba), "PNG", icc_profile=wide)
colours = np.asarray(converted(picture, wide))
add("wide RGB profile, alpha PNG", data, on_white(np.concatenate([colours, alpha[..., None]], -1)), 1)
# A profile longer than a segment comes in pieces.
padded = wide + b"\0" * 70_000
padded = struct.pack(">I", len(padded)) + padded[4:]
data = encoded(picture, "JPEG", quality=92, icc_profile=padded)
add("a profile in two segments", data, converted(Image.open(io.BytesIO(data)), wide), 1)
plain = encoded(picture, "JPEG", quality=92)
shown = Image.open(io.BytesIO(plain))
for name, icc in [("sRGB", srgb.tobytes()), ("broken", wide[:200]), ("of another colour space", inks),
                  ("of noise", bytes(rng.integers(0, 256, 3000, dtype=np.uint8))),
                  ("with tags outside", wide[:132] + b"\xff" * (len(wide) - 132))]:
    add(f"a profile {name} changes nothing", encoded(picture, "JPEG", quality=92, icc_profile=icc), shown)


# PNG: every colour type and depth (PNG §11.2.1), plain and interlaced, with and without tRNS.
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(rows, depth):
    """rows: height × (width · channels) numbers."""
    out = b""
    for row in rows:
        if depth == 16:
            out += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            out += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            out += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return out


def png(values, depth, colour, interlaced, extra=b""):
    height, width = values.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x0, y0, dx, dy in passes:
        part = values[y0::dy, x0::dx]
        if part.size:
            data += packed(part.reshape(part.shape[0], -1), depth)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def eight(values, depth):
    """To 8 bits, to the nearest: PNG §13.12."""
    top = (1 << depth) - 1
    return (np.asarray(values).astype(np.int64) * 510 + top) // (2 * top)


layouts = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)] + [(3, d) for d in (1, 2, 4, 8)]
layouts += [(4, 8), (4, 16), (6, 8), (6, 16)]
for colour, depth in layouts:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    values = rng.integers(0, 1 << depth, (9, 11, channels))
    for interlaced in (False, True):
        for transparent in (False, True):
            if transparent and colour in (4, 6):
                continue
            extra, opaque = b"", np.ones((9, 11), bool)
            if colour == 3:
                table = rng.integers(0, 256, (1 << depth, 3))
                extra = chunk(b"PLTE", table.astype(np.uint8).tobytes())
                shades = np.full(1 << depth, 255)
                if transparent:
                    shades[:max(1, (1 << depth) // 2)] = rng.integers(0, 256, max(1, (1 << depth) // 2))
                    extra += chunk(b"tRNS", shades[:max(1, (1 << depth) // 2)].astype(np.uint8).tobytes())
                index = values[..., 0]
                full = np.concatenate([table[index], shades[index][..., None]], -1)
            else:
                level = eight(values, depth)
                if transparent:
                    key = values[4, 5]
                    extra = chunk(b"tRNS", key.astype(">u2").tobytes())
                    opaque = ~(values == key).all(-1)
                rgb = level[..., :3] if channels >= 3 else np.repeat(level[..., :1], 3, -1)
                a = level[..., -1] if channels in (2, 4) else np.where(opaque, 255, 0)
                full = np.concatenate([rgb, a[..., None]], -1)
            add(f"PNG type {colour} depth {depth}{' interlaced' if interlaced else ''}"
                f"{' tRNS' if transparent else ''}", png(values, depth, colour, interlaced, extra),
                on_white(full))

# EXIF in full, as exifread tells it without its byte-wide values (3.0.1 reads those as 0).
exif = Image.Exif()
exif[0x010F] = " Weaver & Söhne "
exif[0x0110] = "Loom 3"
exif[0x0112] = 1
exif[0x011A] = 72.0
exif[0x0128] = 2
exif[0x0132] = "2026:11:24 12:00:00"
sub = exif.get_ifd(0x8769)
sub[0x829A] = (1, 250)
sub[0x829D] = 2.8
sub[0x8822] = 3
sub[0x8827] = 400
sub[0x9204] = -0.333
sub[0x9207] = 5
sub[0x9209] = 16
sub[0xA001] = 1
sub[0xA432] = (24.0, 70.0, 2.8, 2.8)
sub[0x9214] = (1, 2, 3, 4)
gps = exif.get_ifd(0x8825)
gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 30.0, 7.5), "E", (13.0, 24.0, 0.0)
for kind, options in [("JPEG", {"quality": 92}), ("WEBP", {"lossless": True})]:
    data = encoded(picture, kind, exif=exif, **options)
    # exifread does not find what Pillow writes into a WebP: "Exif" stands before the TIFF structure.
    if kind == "JPEG":
        tags = exifread.process_file(io.BytesIO(data), details=False)
    add(f"EXIF {kind}", data, Image.open(io.BytesIO(data)).convert("RGB"),
        exif=json.dumps({k: str(v).strip() for k, v in tags.items() if v is not None}))

with open(os.path.join(HERE, "decode.json"), "w") as out:
    json.dump({"cases": cases}, out, indent=0)
    out.write("\n")
