# Writes layers.json: an LSTM of torch, GroupNorm, nearest upsampling, and transformers' GPT2Block, with weights,
# outputs and gradients, in float64, so that the reference is exact beside Float. Run: python make_layers.py
import json
import pathlib

import torch
import transformers
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from transformers.models.gpt2.modeling_gpt2 import GPT2Block

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)


def entry(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.8g}") for v in t.detach().reshape(-1).tolist()]}


def state(module):
    return {n: entry(p) for n, p in module.named_parameters()}


def gradients(module):
    return {n: entry(p.grad) for n, p in module.named_parameters()}


def widen(module):
    for p in module.parameters():
        p.data = torch.randn_like(p) * 0.4
    return module


def lstm(layers, bidirectional):
    inputs, width, lengths = 5, 7, [3, 1, 6, 3]
    model = widen(nn.LSTM(inputs, width, layers, batch_first=True, bidirectional=bidirectional))
    x = torch.randn(sum(lengths), inputs, requires_grad=True)
    padded = pad_sequence(list(x.split(lengths)), batch_first=True)
    packed, (h, c) = model(pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False))
    out, _ = pad_packed_sequence(packed, batch_first=True)
    out = torch.cat([out[i, :n] for i, n in enumerate(lengths)])
    seeds = [torch.randn_like(t) for t in (out, h, c)]
    sum((t * s).sum() for t, s in zip((out, h, c), seeds)).backward()
    return dict(
        layers=layers, bidirectional=bidirectional, lengths=lengths, inputs=inputs, width=width,
        input=entry(x), outputs=entry(out), hidden=entry(h), cell=entry(c),
        seeds=[entry(s) for s in seeds], inputGradient=entry(x.grad), parameters=state(model),
        gradients=gradients(model))


def pictures(name, module, shape):
    x = torch.randn(*shape, requires_grad=True)
    y = module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    seed = torch.randn_like(y)
    (y * seed).sum().backward()
    return dict(
        name=name, input=entry(x), output=entry(y), seed=entry(seed), inputGradient=entry(x.grad),
        parameters=state(module), gradients=gradients(module))


def gpt2():
    lengths, width, heads = [4, 1, 6], 12, 3
    configuration = transformers.GPT2Config(
        n_embd=width, n_head=heads, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, attn_implementation="eager")
    block = widen(GPT2Block(configuration, layer_idx=0))
    x = torch.randn(sum(lengths), width, requires_grad=True)
    outs = []
    for part in x.split(lengths):
        n = len(part)
        mask = torch.full((n, n), float("-inf")).triu(1)[None, None]
        y = block(part[None], attention_mask=mask)
        outs.append((y[0] if isinstance(y, tuple) else y)[0])
    y = torch.cat(outs)
    seed = torch.randn_like(y)
    (y * seed).sum().backward()
    return dict(
        lengths=lengths, width=width, heads=heads, input=entry(x), output=entry(y), seed=entry(seed),
        inputGradient=entry(x.grad), parameters=state(block), gradients=gradients(block))


result = dict(
    lstm=[lstm(1, False), lstm(2, True)],
    pictures=[
        pictures("groupNorm", widen(nn.GroupNorm(3, 6, eps=1e-6)), [2, 3, 5, 6]),
        pictures("upsample", nn.Upsample(scale_factor=3, mode="nearest"), [2, 2, 3, 5])],
    gpt2=gpt2())
pathlib.Path(__file__).with_name("layers.json").write_text(json.dumps(result, separators=(",", ":")))
