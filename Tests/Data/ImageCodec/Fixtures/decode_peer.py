"""Decodes pictures as a peer does: one JSON line per path of standard input.

usage: decode_peer.py pillow|full|img2dataset [DUMP]
Each line has width, height and the CRC-32 of the RGB pixels, or an error. With DUMP, a file, the
pixels are appended to it as well.
`full` applies EXIF orientation and converts profiles to sRGB. Alpha is composited on white with
correct rounding, which Pillow's alpha_composite does not have.
"""
import io
import json
import sys
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

Image.MAX_IMAGE_PIXELS = 89_478_485
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
FITS = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}


def on_white(rgba):
    rgba = rgba.astype(np.int64)
    a = rgba[..., 3:]
    return (((a * rgba[..., :3] + (255 - a) * 255) * 2 + 255) // 510).astype(np.uint8)


def converted(image, profile):
    """`image` without alpha in sRGB, or as it was where the profile does not serve."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != FITS.get(image.mode):
            return image
        return ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image


def pillow(path, full):
    image = Image.open(path)
    image.load()
    if image.format not in ("JPEG", "PNG", "WEBP", "GIF"):
        raise ValueError(f"{image.format} is not decoded")
    profile = image.info.get("icc_profile") if full else None
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "P", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        if profile:
            alpha = rgba.getchannel("A")
            rgba = converted(rgba.convert("RGB"), profile)
            rgba.putalpha(alpha)
        if full:
            rgba = ImageOps.exif_transpose(rgba)
        return on_white(np.asarray(rgba))
    if profile:
        image = converted(image, profile)
    if full:
        image = ImageOps.exif_transpose(image)
    return np.asarray(image.convert("RGB"))


def img2dataset(path):
    import cv2
    with open(path, "rb") as file:
        image = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("refused")
    if image.ndim == 3 and image.shape[-1] == 4:
        alpha = image[:, :, 3, np.newaxis]
        image = alpha / 255 * image[..., :3] + 255 - alpha
        image = np.rint(image.clip(min=0, max=255)).astype(np.uint8)
    if image.dtype != np.uint8:  # what OpenCV's JPEG encoder does to it
        image = np.minimum(image, 255).astype(np.uint8)
    if image.ndim == 2:
        return np.stack([image] * 3, -1)
    return image[..., ::-1]


kind = sys.argv[1]
dump = open(sys.argv[2], "ab") if len(sys.argv) > 2 else None
for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        rgb = np.ascontiguousarray(img2dataset(path) if kind == "img2dataset" else pillow(path, kind == "full"))
        if dump:
            dump.write(rgb.tobytes())
        print(json.dumps({"path": path, "width": rgb.shape[1], "height": rgb.shape[0],
                          "crc": zlib.crc32(rgb.tobytes())}))
    except Exception as error:  # a peer may refuse in any way it likes
        print(json.dumps({"path": path, "error": f"{type(error).__name__}: {error}"[:200]}))
