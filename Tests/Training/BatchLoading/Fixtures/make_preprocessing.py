"""Writes preprocessing.json: torchvision's evaluation transform and random crops on made pictures.

The versions it ran with are in the file, under "made_with".
"""
import hashlib, json, math, os, random
import PIL, torch, torchvision
from PIL import Image
from open_clip.transform import image_transform
from torchvision import transforms as T

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def picture(width, height):
    """Pixel bytes from a linear congruential generator, so that the test can make them itself."""
    state, out = width * 1000 + height, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return Image.frombytes("RGB", (width, height), bytes(out))


def evaluate(width, height, size, interpolation="bicubic", mode="shortest", fill=0):
    """open_clip's own transform, without its last two steps."""
    whole = image_transform(
        size, is_train=False, interpolation=interpolation, resize_mode=mode, fill_color=fill)
    image = T.Compose(whole.transforms[:-2])(picture(width, height))
    values = T.Compose([T.ToTensor(), T.Normalize(MEAN, STD)])(image)
    return {"width": width, "height": height, "size": size,
            "filter": interpolation, "resizeMode": mode, "fillColor": fill,
            "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            "first": [float(values[c, 0, x]) for c in range(3) for x in range(4)]}


def random_crop(width, height, scale, seed):
    """get_params with its draws recorded: area share, ratio and offsets as numbers of 0 ..< 1."""
    source, draws = random.Random(seed), []
    def draw():
        draws.append(source.random())
        return draws[-1]
    class Filled:
        def __init__(self, low=None, high=None): self.low, self.high = low, high
        def uniform_(self, low, high):
            self.value = low + draw() * (high - low); return self
        def item(self): return self.value
    real_empty, real_randint = torch.empty, torch.randint
    torch.empty = lambda *a, **k: Filled()
    torch.randint = lambda low, high, size: torch.tensor([min(high - 1, low + int(draw() * (high - low)))])
    real_log = torch.log
    torch.log = lambda t: [math.log(v) for v in t.tolist()]
    real_tensor = torch.tensor
    torch.tensor = lambda v, **k: real_tensor(v, dtype=torch.float64) if isinstance(v, tuple) else real_tensor(v, **k)
    real_exp = torch.exp
    class Number(float):
        def item(self): return float(self)
    torch.exp = lambda f: Number(math.exp(f.value))
    try:
        blank = Image.new("RGB", (width, height))
        top, left, h, w = T.RandomResizedCrop.get_params(blank, scale, (3 / 4, 4 / 3))
    finally:
        torch.empty, torch.randint, torch.log, torch.exp, torch.tensor = (
            real_empty, real_randint, real_log, real_exp, real_tensor)
    return {"width": width, "height": height, "scale": list(scale), "draws": draws,
            "box": [int(left), int(top), int(w), int(h)]}


if __name__ == "__main__":
    sizes = [(50, 37), (37, 50), (16, 16), (16, 23), (23, 16), (100, 17), (5, 9), (64, 61), (33, 20)]
    boxes = [((64, 64), (0.9, 1.0)), ((80, 30), (0.5, 1.0)), ((30, 200), (0.9, 1.0)),
             ((200, 30), (0.9, 1.0)), ((256, 192), (0.08, 1.0)), ((3, 2), (0.2, 0.9))]
    data = {"made_with": f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}",
            "evaluate": [evaluate(w, h, 16) for w, h in sizes] + [
                evaluate(w, h, 16, i, m, 99) for w, h in sizes for i in ("bicubic", "bilinear")
                for m in ("shortest", "longest", "squash")],
            "crops": [random_crop(w, h, scale, seed) for (w, h), scale in boxes for seed in range(3)]}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preprocessing.json")
    json.dump(data, open(path, "w"), indent=1)
