"""What imagehash makes of pictures: a line for each, its hash and what it is of.

usage: hash_peer.py made            the committed hashes.txt: pictures of a formula, here and in Swift
       hash_peer.py FILE...         files; those that Pillow does not open are left out
       hash_peer.py --against-imagehash FILE...   fails unless the ten lines below are imagehash's
Run with Python 3.11, Pillow 13, NumPy and SciPy; imagehash only for the last.
"""
import sys
import warnings

import numpy as np
import scipy.fftpack
from PIL import Image, ImageOps

warnings.filterwarnings("ignore")


def phash(image, side=8, factor=4):
    """imagehash.phash of version 4.3.2 in our words."""
    size = side * factor
    levels = np.asarray(image.convert("L").resize((size, size), Image.Resampling.LANCZOS))
    low = scipy.fftpack.dct(scipy.fftpack.dct(levels, axis=0), axis=1)[:side, :side]
    bits = (low > np.median(low)).ravel()
    return f"{int(''.join('01'[int(b)] for b in bits), 2):0{side * side // 4}x}"


def made(width, height):
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    channels = [(x * x + 3 * y * y) // 97 % 256, (x * y) // 53 % 256, ((x // 7 + y // 5) * 31) % 256]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def opened(path):
    image = Image.open(path)
    image.load()
    image = ImageOps.exif_transpose(image)  # hashes are of upright pictures
    if image.mode in ("RGBA", "LA", "P", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


if sys.argv[1] == "made":
    for width, height in [(8, 8), (32, 32), (33, 31), (1, 9), (200, 30), (30, 400), (256, 256), (641, 427)]:
        print(phash(made(width, height)), f"{width}x{height}")
else:
    check = sys.argv[1] == "--against-imagehash"
    for path in sys.argv[2 if check else 1:]:
        try:
            image = opened(path)
        except Exception:
            continue
        print(phash(image), path)
        if check:
            import imagehash

            assert str(imagehash.phash(image)) == phash(image), path
