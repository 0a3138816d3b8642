"""Writes plain.safetensors and quick.safetensors with plain.json and quick.json.

Each holds a small random CLIP (open_clip_torch 3.3.0, torch 2.15, CPU), a batch, and what open_clip
makes of it: `weight.NAME`, `gradient.NAME`, `images`, `tokens`, `image_features`, `text_features`,
`loss`. The weights are drawn wider than at initialisation, so that no path is close to nothing.
"""

import json
import pathlib

import torch
from open_clip import CLIP
from open_clip.loss import ClipLoss
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
configurations = {
    # Captions end at once (2 tokens), in the middle, and at the very end (16).
    "plain": (
        dict(
            embed_dim=24,
            vision_cfg=dict(image_size=24, layers=2, width=48, head_width=16, patch_size=8),
            text_cfg=dict(context_length=16, vocab_size=96, width=32, heads=4, layers=2),
        ),
        [2, 16, 5, 9, 3],
    ),
    # Odd sizes, another activation, and a patch that does not divide the image.
    "quick": (
        dict(
            embed_dim=17,
            quick_gelu=True,
            vision_cfg=dict(image_size=23, layers=3, width=33, head_width=11, patch_size=5, mlp_ratio=2.7),
            text_cfg=dict(context_length=11, vocab_size=61, width=35, heads=5, layers=1, mlp_ratio=3.1),
        ),
        [11, 2, 7],
    ),
}

for seed, (name, (configuration, lengths)) in enumerate(configurations.items()):
    torch.manual_seed(seed)
    sizes = dict(configuration)
    vision = CLIPVisionCfg(**sizes.pop("vision_cfg"))
    text = CLIPTextCfg(**sizes.pop("text_cfg"))
    model = CLIP(vision_cfg=vision, text_cfg=text, **sizes)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if key == "logit_scale":
                p.fill_(1.7)
            elif key.endswith("bias"):
                p.normal_(std=0.2)
            elif p.ndim == 1:
                p.add_(0.3 * torch.randn_like(p))
            else:
                p.add_(p.std() * torch.randn_like(p))

    images = torch.randn(len(lengths), 3, vision.image_size, vision.image_size)
    tokens = torch.zeros(len(lengths), text.context_length, dtype=torch.long)
    for row, length in enumerate(lengths):
        tokens[row, 0] = text.vocab_size - 2
        tokens[row, 1 : length - 1] = torch.randint(text.vocab_size - 2, (length - 2,))
        tokens[row, length - 1] = text.vocab_size - 1
    # What stands behind the end must not matter; the end token again among it neither.
    tokens[2, lengths[2]] = 7
    tokens[2, lengths[2] + 1] = text.vocab_size - 1

    image_features = model.encode_image(images)
    text_features = model.encode_text(tokens)
    normalised = [f / f.norm(dim=-1, keepdim=True) for f in (image_features, text_features)]
    loss = ClipLoss()(*normalised, model.logit_scale.exp())
    loss.backward()

    tensors = {
        "images": images, "tokens": tokens.to(torch.int32), "image_features": image_features,
        "text_features": text_features, "loss": loss,
    }
    for key, p in model.named_parameters():
        tensors["weight." + key] = p
        tensors["gradient." + key] = p.grad
    tensors = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
    path = here / f"{name}.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
    (here / f"{name}.json").write_text(json.dumps(configuration, indent=2) + "\n")
    print(name, float(loss), path.stat().st_size)
