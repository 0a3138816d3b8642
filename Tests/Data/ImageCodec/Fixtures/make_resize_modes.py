"""Makes resize-modes.json: what sizes img2dataset gives out.

Run with Python 3.11 and `pip install img2dataset==1.47.0`. The pictures are black, so that the
white border shows where the picture lies.
"""
import io
import json
import os
import random

import cv2
import numpy as np
from img2dataset.resizer import Resizer

random.seed(11)
cases = []
sizes = [(640, 427), (427, 640), (100, 37), (37, 100), (256, 256), (255, 257), (1, 300), (33, 10), (999, 501)]
sizes += [(random.randint(1, 400), random.randint(1, 400)) for _ in range(40)]
for width, height in sizes:
    data = cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1].tobytes()
    for mode in ["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"]:
        size = random.choice([32, 64, 101, 256])
        only = random.random() < 0.4
        resizer = Resizer(size, mode, only, encode_quality=1, encode_format="png")
        out, w, h, _, _, error = resizer(io.BytesIO(data))
        assert error is None, error
        if w > 20000 or h > 20000:
            continue
        ys, xs = np.nonzero(cv2.imdecode(np.frombuffer(out, np.uint8), 1)[..., 0] < 128)
        cases.append({"width": width, "height": height, "mode": mode, "size": size, "only_if_bigger": only,
                      "out": [w, h],
                      "black": [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize-modes.json"), "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
