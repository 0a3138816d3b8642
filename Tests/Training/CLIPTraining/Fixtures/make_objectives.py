"""Writes objectives.json: what open_clip_torch 3.3.0 (torch 2.15, CPU) makes of losses, schedules, locks, patch dropout.

The model and the batch are those of CLIPModel's fixture `plain`.
"""

import json
import pathlib

import torch
from open_clip import CLIP
from open_clip.loss import SigLipLoss
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from open_clip_train.scheduler import const_lr, const_lr_cooldown, cosine_lr
from safetensors.torch import load_file

here = pathlib.Path(__file__).parent
plain = here.parent.parent.parent / "Models/CLIPModel/Fixtures/plain"
torch.manual_seed(11)
result = {}


def rounded(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


# SigLIP's loss of five pairs of width seven.
images, texts = (torch.nn.functional.normalize(torch.randn(5, 7), dim=-1).requires_grad_() for _ in "it")
scale, bias = torch.tensor(1.9, requires_grad=True), torch.tensor(-1.3, requires_grad=True)
loss = SigLipLoss()(images, texts, scale.exp(), bias)
loss.backward()
result["sigmoid"] = dict(
    shape=[5, 7], images=rounded(images), texts=rounded(texts), log_scale=1.9, bias=-1.3, loss=float(loss),
    image_gradient=rounded(images.grad), text_gradient=rounded(texts.grad),
    log_scale_gradient=float(scale.grad), bias_gradient=float(bias.grad),
)

# Schedules, at every third step.
optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
steps = list(range(0, 60, 3))
schedules = dict(
    cosine=cosine_lr(optimizer, 2e-3, 7, 60), constant=const_lr(optimizer, 2e-3, 7, 60),
    cooldown=const_lr_cooldown(optimizer, 2e-3, 7, 60, 20, 1.7, 1e-4),
)
result["schedules"] = {name: [float(rate(s)) for s in steps] for name, rate in schedules.items()}
result["schedule_steps"] = steps

# Locks: the names that stay trainable.
configuration = json.loads(plain.with_suffix(".json").read_text())


def model(**vision):
    sizes = dict(configuration)
    own = CLIPVisionCfg(**{**sizes.pop("vision_cfg"), **vision})
    made = CLIP(vision_cfg=own, text_cfg=CLIPTextCfg(**sizes.pop("text_cfg")), **sizes)
    weights = {k[7:]: v for k, v in load_file(plain.with_suffix(".safetensors")).items() if k.startswith("weight.")}
    made.load_state_dict(weights, strict=False)
    return made


result["locks"] = []
for unlocked in [0, 1, 2, 3, 4]:
    for tower in ["image", "text"]:
        locked = model()
        (locked.lock_image_tower if tower == "image" else locked.lock_text_tower)(unlocked)
        free = sorted(name for name, p in locked.named_parameters() if p.requires_grad)
        result["locks"].append(dict(tower=tower, unlocked=unlocked, free=free))

# Patch dropout: which patches the seed leaves, the features, and a gradient that sees the choice.
batch = load_file(plain.with_suffix(".safetensors"))["images"]
dropping = model(patch_dropout=0.4).train()
count = dropping.visual.positional_embedding.shape[0] - 1
kept = max(1, int(count * (1 - 0.4)))
torch.manual_seed(5)
patches = torch.randn(len(batch), count).topk(kept, dim=-1).indices
torch.manual_seed(5)
features = dropping.encode_image(batch)
(features * torch.arange(features.numel()).reshape(features.shape).cos()).sum().backward()
result["patches"] = dict(
    dropout=0.4, patches=patches.tolist(), features=rounded(features),
    position_gradient=rounded(dropping.visual.positional_embedding.grad),
)

(here / "objectives.json").write_text(json.dumps(result) + "\n")
