# Writes transformer.json: a two-layer pre-norm transformer of open_clip's names in torch, its weights,
# and output and gradients on packed sequences. Made with torch 2 in float64, so that the reference is exact
# beside Float. Run: python make_transformer.py
import json
import pathlib
from collections import OrderedDict

import torch
from torch import nn

torch.manual_seed(7)
WIDTH, HEADS, HIDDEN, LAYERS, LENGTHS = 12, 3, 20, 2, [1, 5, 3, 9]


class Block(nn.Module):
    def __init__(self, gelu):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.ln_2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(OrderedDict(
            c_fc=nn.Linear(WIDTH, HIDDEN), gelu=gelu, c_proj=nn.Linear(HIDDEN, WIDTH)))

    def forward(self, x, mask):
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def case(name, gelu, causal):
    model = nn.Module()
    model.resblocks = nn.ModuleList(Block(gelu) for _ in range(LAYERS))
    model = model.double()
    for p in model.parameters():
        p.data = torch.randn_like(p) * 0.3
    x = torch.randn(sum(LENGTHS), WIDTH, dtype=torch.float64, requires_grad=True)
    seed = torch.randn(sum(LENGTHS), WIDTH, dtype=torch.float64)
    outs, start = [], 0
    for length in LENGTHS:
        h = x[start:start + length, None, :]
        mask = torch.full((length, length), float("-inf"), dtype=torch.float64).triu(1) if causal else None
        for block in model.resblocks:
            h = block(h, mask)
        outs.append(h[:, 0])
        start += length
    y = torch.cat(outs)
    (y * seed).sum().backward()
    flat = lambda t: [float(f"{v:.8g}") for v in t.detach().reshape(-1).tolist()]
    entry = lambda t: {"shape": list(t.shape), "values": flat(t)}
    return {
        "name": name, "causal": causal, "width": WIDTH, "heads": HEADS, "hidden": HIDDEN, "layers": LAYERS,
        "lengths": LENGTHS, "input": entry(x), "seed": entry(seed), "output": entry(y),
        "inputGradient": entry(x.grad),
        "parameters": {n: entry(p) for n, p in model.named_parameters()},
        "gradients": {n: entry(p.grad) for n, p in model.named_parameters()},
    }


cases = [case("exact", nn.GELU(), True), case("quick", QuickGELU(), False), case("tanh", nn.GELU("tanh"), True)]
out = pathlib.Path(__file__).with_name("transformer.json")
out.write_text(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")))
