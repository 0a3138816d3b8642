# Writes optimizers.json: five steps of torch.optim.AdamW with two groups (decay and none) and gradients
# clipped by torch.nn.utils.clip_grad_norm_, and open_clip's cosine schedule. Float32 throughout.
# Run: python make_optimizers.py
import json
import pathlib

import torch
from open_clip_train.scheduler import cosine_lr

torch.manual_seed(11)
SHAPES = {"proj.weight": (3, 7), "ln_1.weight": (9,), "proj.bias": (3,), "logit_scale": (), "table": (5, 4)}
RATES = [0.001, 0.01, 0.02, 0.015, 0.003]
MAX_NORM = 1.5
flat = lambda t: [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]

params = {n: torch.nn.Parameter(torch.randn(s)) for n, s in SHAPES.items()}
decayed = [p for p in params.values() if p.ndim >= 2]
others = [p for p in params.values() if p.ndim < 2]
options = dict(lr=1e-3, betas=(0.9, 0.98), eps=1e-6)
optimizer = torch.optim.AdamW(
    [{"params": others, "weight_decay": 0.0}, {"params": decayed, "weight_decay": 0.2}],
    foreach=False, **options)
record = {"torch": torch.__version__, "maxNorm": MAX_NORM, "rates": RATES,
          "shapes": {n: list(s) for n, s in SHAPES.items()},
          "start": {n: flat(p) for n, p in params.items()}, "steps": []}
for i, rate in enumerate(RATES):
    gradients = {}
    for n, p in params.items():
        p.grad = torch.randn_like(p) * (0.1 if i % 2 else 2.0)
        gradients[n] = flat(p.grad)
    norm = torch.nn.utils.clip_grad_norm_(params.values(), MAX_NORM)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    record["steps"].append({
        "gradients": gradients, "norm": float(norm), "clipped": {n: flat(p.grad) for n, p in params.items()},
        "parameters": {n: flat(p) for n, p in params.items()},
        "first": {n: flat(optimizer.state[p]["exp_avg"]) for n, p in params.items()},
        "second": {n: flat(optimizer.state[p]["exp_avg_sq"]) for n, p in params.items()}})


class Holder:
    param_groups = [{}]


schedule = cosine_lr(Holder, 5e-4, 10, 40)
record["schedule"] = [schedule(step) for step in range(40)]
out = pathlib.Path(__file__).with_name("optimizers.json")
out.write_text(json.dumps(record, separators=(",", ":")))
