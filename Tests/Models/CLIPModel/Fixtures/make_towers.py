"""Writes scaled.safetensors and resnet.safetensors with scaled.json and resnet.json.

As make_fixtures.py does, a small random CLIP each (open_clip_torch 3.3.0, torch 2.15, CPU) and what open_clip
makes of a batch: one with LayerScale in both towers, one with OpenAI's ResNet. Of the ResNet, `running.NAME` holds
the running statistics behind one training step, and `gradient.NAME` those of up to 1,500 numbers.
"""

import json
import pathlib

import torch
from open_clip import CLIP
from open_clip.loss import ClipLoss
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
text_cfg = dict(context_length=8, vocab_size=40, width=24, heads=3, layers=1)
configurations = {
    "scaled": dict(
        embed_dim=20,
        vision_cfg=dict(image_size=20, layers=2, width=36, head_width=12, patch_size=4, ls_init_value=1e-4),
        text_cfg=dict(text_cfg, layers=2, ls_init_value=0.1),
    ),
    "resnet": dict(
        embed_dim=19,
        quick_gelu=True,
        vision_cfg=dict(image_size=64, layers=[1, 2, 1, 1], width=4, head_width=32, patch_size=None),
        text_cfg=text_cfg,
    ),
}


def randomise(model):
    with torch.no_grad():
        for key, p in model.named_parameters():
            if key == "logit_scale":
                p.fill_(1.7)
            elif key.endswith("gamma"):
                p.copy_(0.7 + 0.4 * torch.randn_like(p))
            elif key.endswith("bias"):
                p.normal_(std=0.2)
            elif "bn" in key or "downsample.1" in key:
                p.copy_(1 + 0.3 * torch.randn_like(p))
            elif p.ndim == 1:
                p.add_(0.3 * torch.randn_like(p))
            else:
                p.add_(p.std() * torch.randn_like(p))
        for key, b in model.named_buffers():
            if key.endswith("running_mean"):
                b.normal_(std=0.3)
            elif key.endswith("running_var"):
                b.uniform_(0.5, 2)


for seed, (name, configuration) in enumerate(configurations.items()):
    torch.manual_seed(20 + seed)
    sizes = dict(configuration)
    vision = CLIPVisionCfg(**sizes.pop("vision_cfg"))
    text = CLIPTextCfg(**sizes.pop("text_cfg"))
    model = CLIP(vision_cfg=vision, text_cfg=text, **sizes)
    randomise(model)
    images = torch.randn(3, 3, vision.image_size, vision.image_size)
    tokens = torch.zeros(3, text.context_length, dtype=torch.long)
    for row, length in enumerate([8, 2, 5]):
        tokens[row, 0] = text.vocab_size - 2
        tokens[row, 1 : length - 1] = torch.randint(text.vocab_size - 2, (length - 2,))
        tokens[row, length - 1] = text.vocab_size - 1

    tensors = {"images": images, "tokens": tokens.to(torch.int32)}
    for key, value in model.state_dict().items():
        if key not in ("attn_mask",):
            tensors["weight." + key] = value.clone()
    model.eval()
    with torch.no_grad():
        tensors["image_features"] = model.encode_image(images)
        tensors["text_features"] = model.encode_text(tokens)
    model.train()
    trained = model.encode_image(images)
    normalised = [f / f.norm(dim=-1, keepdim=True) for f in (trained, model.encode_text(tokens))]
    loss = ClipLoss()(*normalised, model.logit_scale.exp())
    loss.backward()
    tensors["trained_features"] = trained
    tensors["loss"] = loss
    for key, p in model.named_parameters():
        if name == "scaled" or p.numel() <= 1500:
            tensors["gradient." + key] = p.grad
    for key, b in model.named_buffers():
        if "running" in key:
            tensors["running." + key] = b
    tensors = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
    path = here / f"{name}.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
    (here / f"{name}.json").write_text(json.dumps(configuration, indent=2) + "\n")
    print(name, float(loss), path.stat().st_size)
