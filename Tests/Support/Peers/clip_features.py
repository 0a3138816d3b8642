"""Writes a random CLIP of open_clip with a batch and what open_clip makes of it, or times its image tower.

`clip_features.py NAME FOLDER [DATA]`: FOLDER/weights.safetensors, and FOLDER/batch.safetensors with images, tokens,
image_features, text_features and scores. DATA is the shared data's folder; without it pictures and
captions are made. `clip_features.py --time NAME FOLDER BATCH ROUNDS`: seconds of each round on 2 threads, a line each, of the
weights in FOLDER.
`clip_features.py --configurations`: every configuration of open_clip as {name: JSON}.
"""

import json
import pathlib
import random
import sys
import time

import open_clip
import torch
from open_clip.transform import image_transform
from PIL import Image
from safetensors.torch import load_file, save_file


def randomise(model, images):
    """Gains, biases and running statistics away from 1 and 0, so that a forgotten one shows."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("gamma"):
                p.copy_(0.5 + 0.2 * torch.randn_like(p))
            elif name.endswith("bias"):
                p.normal_(std=0.1)
            elif p.ndim == 1 and name.endswith("weight"):
                # The last norm of a ResNet's block begins at 0; small gains keep 16 blocks in bounds.
                p.copy_((0.3 if "bn3" in name and "layer" in name else 1) + 0.1 * torch.randn_like(p))
        norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        if norms:
            # The statistics of the pictures, then moved: features of the size that training gives.
            for norm in norms:
                norm.momentum = 1.0
            model.train()
            model.encode_image(images)
            for norm in norms:
                norm.running_mean += 0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
                norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
    model.eval()


def batch(model, name, data):
    size = model.visual.image_size
    size = size if isinstance(size, int) else size[0]
    transform = image_transform(size, is_train=False)
    tokenize = open_clip.get_tokenizer(name)
    source = random.Random(3)
    if data:
        corpus = pathlib.Path(data) / "corpus"
        lines = [json.loads(line) for line in open(corpus / "captions.jsonl")]
        chosen = source.sample(lines, 12)
        captions = [line["caption"] for line in chosen]
        paths = sorted(p for p in corpus.rglob("*") if p.suffix in (".jpg", ".png"))
        pictures = [Image.open(p).convert("RGB") for p in source.sample(paths, 6)]
    else:
        pictures = [
            Image.frombytes("RGB", (80 + i, 60), source.randbytes((80 + i) * 180)).resize((300, 240 + i))
            for i in range(6)]
        captions = ["a", "two red balls", " ".join(["many"] * 100)] + [f"a picture of {i} trees" for i in range(9)]
    return torch.stack([transform(picture) for picture in pictures]), tokenize(captions)


if sys.argv[1] == "--configurations":
    folder = pathlib.Path(open_clip.__file__).parent / "model_configs"
    print(json.dumps({path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}))
elif sys.argv[1] == "--time":
    name, folder, count, rounds = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    torch.set_num_threads(2)
    model = open_clip.create_model(name)
    model.load_state_dict(load_file(f"{folder}/weights.safetensors"), strict=False)
    model.eval()
    images = load_file(f"{folder}/batch.safetensors")["images"][:1].repeat(count, 1, 1, 1)
    with torch.no_grad():
        model.encode_image(images)
        for _ in range(rounds):
            start = time.perf_counter()
            model.encode_image(images)
            print(time.perf_counter() - start, flush=True)
else:
    name, folder = sys.argv[1], sys.argv[2]
    torch.set_num_threads(2)
    torch.manual_seed(5)
    model = open_clip.create_model(name)
    images, tokens = batch(model, name, sys.argv[3] if len(sys.argv) > 3 else None)
    randomise(model, images)
    with torch.no_grad():
        image_features, text_features = model.encode_image(images), model.encode_text(tokens)
    unit = [f / f.norm(dim=-1, keepdim=True) for f in (image_features, text_features)]
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, f"{folder}/weights.safetensors")
    save_file(
        {"images": images, "tokens": tokens.to(torch.int32), "image_features": image_features,
         "text_features": text_features, "scores": (unit[0] @ unit[1].T).contiguous()},
        f"{folder}/batch.safetensors")
