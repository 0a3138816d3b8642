"""What Pillow, OpenCV and img2dataset make of small pictures: the truth for resizing and encoding.

usage: resize_peer.py KIND COUNT [SEED]   prints JSON; KIND is filters, area, sizes, jpeg, png or blur.
The committed fixtures are `area 24 1`, `filters 36 1`, `jpeg 12 1` and `blur 10 1`.
Run with Python 3.11 and Pillow 13; area needs opencv-python, sizes and blur img2dataset 1.47.0.
"""
import base64
import io
import json
import random
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
kind, count = sys.argv[1], int(sys.argv[2])
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
rng, rnd = np.random.default_rng(seed), random.Random(seed)


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def picture(width, height):
    """Noise in blocks, on a slope: hard edges and soft ones."""
    block = rnd.choice([1, 2, 5])
    noise = rng.integers(0, 256, (height // block + 1, width // block + 1, 3))
    noise = noise.repeat(block, 0).repeat(block, 1)[:height, :width]
    slope = np.arange(width)[None, :, None] * 255 // width
    return ((noise + slope) // 2 if rnd.random() < 0.5 else noise).astype(np.uint8)


def side(limit):
    return rnd.choice([1, 2, 3, rnd.randint(1, limit), rnd.randint(limit // 2, limit)])


def case(image, **more):
    height, width = image.shape[:2]
    return dict(width=width, height=height, rgb=b64(image.tobytes()), **more)


def result(image):
    return dict(outWidth=image.shape[1], outHeight=image.shape[0], expected=b64(image.tobytes()))


limit = 40 if count <= 50 else 160
cases = []
if kind == "filters":
    from PIL import Image

    names = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
    for index in range(count):
        image = picture(side(limit), side(limit))
        size = (side(limit), side(limit))
        if count > 50 and index % 7 == 0:  # wide windows
            image, size = picture(rnd.randint(400, 4000), 3), (rnd.randint(1, 64), 3)
        height, width = image.shape[:2]
        name = names[index % len(names)]
        box = None
        if rnd.random() < 0.5:
            left, top = rnd.uniform(0, width * 0.6), rnd.uniform(0, height * 0.6)
            box = [left, top, rnd.uniform(left + width * 0.1, width), rnd.uniform(top + height * 0.1, height)]
            box = [float(np.float32(v)) for v in box]
            box = [min(v, width if i % 2 == 0 else height) for i, v in enumerate(box)]
        made = Image.fromarray(image).resize(size, Image.Resampling[name.upper()], box=box)
        cases.append(case(image, filter=name, box=box, **result(np.asarray(made))))
elif kind == "area":
    import cv2

    for index in range(count):
        image = picture(side(limit), side(limit))
        height, width = image.shape[:2]
        if index % 4 == 0:  # whole multiples
            by = rnd.randint(2, 6)
            image = picture(by * rnd.randint(1, limit // by), by * rnd.randint(1, limit // by))
            size = (image.shape[1] // by, image.shape[0] // by)
        elif index % 4 == 1:  # both shrink
            size = (rnd.randint(1, width), rnd.randint(1, height))
        elif index % 4 == 2:  # both grow, at times to whole multiples
            by = rnd.choice([2, 3, rnd.uniform(1, 4)])
            image = image[: limit // 2, : limit // 2].copy()
            height, width = image.shape[:2]
            size = (max(1, round(width * by)), max(1, round(height * by)))
        else:
            size = (side(limit), side(limit))
        made = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        cases.append(case(image, filter="area", box=None, **result(made)))
elif kind == "sizes":
    import cv2
    from img2dataset.resizer import Resizer

    modes = ["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"]
    for index in range(count):
        width, height = rnd.randint(1, 700), rnd.randint(1, 700)
        if index % 3 == 0:  # where halves occur
            width, height = rnd.choice([64, 128, 256, 512, 96]), rnd.randint(1, 700)
        size = rnd.choice([1, 16, 63, 64, 100, 224, 256])
        mode, only = modes[index % 5], rnd.random() < 0.4
        # A strip stretched to thousands of pixels says nothing more, and takes seconds.
        if max(width, height) * size > 16384 * min(width, height):
            width = height = max(width, height)
        resizer = Resizer(size, mode, only, encode_format="png", encode_quality=1)
        data = cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1].tobytes()
        _, out_width, out_height, _, _, error = resizer(io.BytesIO(data))
        assert error is None, error
        cases.append(dict(width=width, height=height, mode=mode, size=size, onlyIfBigger=only,
                          outWidth=out_width, outHeight=out_height))
elif kind == "jpeg":
    from PIL import Image

    for index in range(count):
        image = picture(rnd.randint(1, limit), rnd.randint(1, limit))
        quality, subsampling = rnd.randint(1, 100), index % 3
        optimised, progressive = rnd.random() < 0.5, rnd.random() < 0.3
        out = io.BytesIO()
        Image.fromarray(image).save(out, "JPEG", quality=quality, subsampling=subsampling,
                                    optimize=optimised, progressive=progressive)
        cases.append(case(image, quality=quality, subsampling=["444", "422", "420"][subsampling],
                          optimised=optimised, progressive=progressive, expected=b64(out.getvalue())))
elif kind == "png":
    from PIL import Image

    for index in range(count):
        image = picture(rnd.randint(30, limit), rnd.randint(30, limit))
        level, quality = rnd.randint(1, 9), rnd.randint(0, 100)
        png, webp, lossless = io.BytesIO(), io.BytesIO(), io.BytesIO()
        Image.fromarray(image).save(png, "PNG", compress_level=level)
        Image.fromarray(image).save(webp, "WEBP", quality=quality)
        Image.fromarray(image).save(lossless, "WEBP", lossless=True)
        cases.append(case(image, level=level, quality=quality, png=len(png.getvalue()),
                          webp=len(webp.getvalue()), lossless=len(lossless.getvalue())))
elif kind == "blur":
    from img2dataset.blurrer import BoundingBoxBlurrer

    for index in range(count):
        image = picture(rnd.randint(1, limit), rnd.randint(1, limit))
        boxes = []
        for _ in range(rnd.randint(1, 3)):
            left, top = rnd.uniform(0, 0.8), rnd.uniform(0, 0.8)
            boxes.append([left, top, rnd.uniform(left, 1), rnd.uniform(top, 1)])
        cases.append(case(image, boxes=boxes, expected=b64(BoundingBoxBlurrer()(image, boxes).tobytes())))
else:
    sys.exit(__doc__)
print(json.dumps(cases))
