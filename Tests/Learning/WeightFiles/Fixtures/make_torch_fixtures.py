"""Writes the files of torch that the tests read, by torch 2.15; what they hold stands in NAME.safetensors.

checkpoint.pt  a training checkpoint: wrapped, with optimizer state, a Namespace and numpy's numbers beside;
               tensors of every type, views with strides and offsets into shared storages
deflated.pt    the same, its members packed
script.pt      a TorchScript archive whose class is called QuickGELU
global.pt      asks for os.system
"""

import argparse
import collections
import os
import pathlib
import zipfile

import numpy
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(0)

shared = torch.arange(60.0) / 7
values = [0.0, 1.0, -2.5, 65504.0, 6.1e-5, 3.140625]
state = collections.OrderedDict()
for name in ["float64", "float32", "float16", "bfloat16"]:
    state[name] = torch.tensor(values, dtype=getattr(torch, name))
for name in ["int64", "int32", "int16", "int8"]:
    state[name] = torch.tensor([0, 1, 100, -100, 127, -128], dtype=getattr(torch, name))
state["uint8"] = torch.tensor([0, 1, 200, 255], dtype=torch.uint8)
state["bool"] = torch.tensor([True, False, True])
state["scalar"] = torch.tensor(0.25)
state["empty"] = torch.zeros(0, 3)
state["whole"] = shared.view(3, 4, 5)
state["transposed"] = shared.view(12, 5).t()
state["permuted"] = shared.view(3, 4, 5).permute(2, 0, 1)
state["slice"] = shared.view(12, 5)[3:7, 1:4]
state["step"] = shared[5::7]
state["expanded"] = torch.tensor([1.5, -2.0]).expand(3, 2)
state["parameter"] = torch.nn.Parameter(torch.randn(2, 3))
state["half.transposed"] = torch.randn(4, 3).half().t()
checkpoint = {
    "epoch": 3,
    "name": "run é",
    "lr": 0.5,
    "args": argparse.Namespace(lr=1e-3, betas=(0.9, 0.98), path=pathlib.PurePosixPath("a/b")),
    "state_dict": state,
    "state_dict_ema": collections.OrderedDict(weight=torch.tensor([7.0, 8.0])),
    "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(2, 3)}},
                  "param_groups": [{"lr": 0.1, "params": [0, 1], "seen": {1, 2}}]},
    "best": numpy.float64(0.5),
    "big": 1 << 100,
}
torch.save(checkpoint, here / "checkpoint.pt")
save_file({k: v.detach().clone().contiguous() for k, v in state.items()}, here / "checkpoint.safetensors")
with zipfile.ZipFile(here / "checkpoint.pt") as old:
    with zipfile.ZipFile(here / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(zipfile.ZipInfo(item.filename), old.read(item), zipfile.ZIP_DEFLATED)


class QuickGELU(torch.nn.Module):
    def forward(self, x: torch.Tensor):
        return x * torch.sigmoid(1.702 * x)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)])
        self.scale = torch.nn.Parameter(torch.randn([]))
        self.activation = QuickGELU()
        self.register_buffer("mask", torch.ones(2, 2).triu(1))
        self.input_resolution = 224

    def forward(self, x: torch.Tensor):
        for block in self.blocks:
            x = self.activation(block(x))
        return x * self.scale + self.mask.sum() + self.input_resolution


model = Model().half()
whole = here / "script.whole"
torch.jit.script(model).save(str(whole))
with zipfile.ZipFile(whole) as old:
    with zipfile.ZipFile(here / "script.pt", "w") as new:
        for item in old.infolist():
            if not item.filename.endswith(".debug_pkl"):  # They hold this file's path.
                name = "script/" + item.filename.split("/", 1)[1]
                new.writestr(zipfile.ZipInfo(name), old.read(item), item.compress_type)
whole.unlink()
save_file({k: v.clone() for k, v in model.state_dict().items()}, here / "script.safetensors")


class Command:
    def __reduce__(self):
        return os.system, ("true",)


torch.save({"weight": torch.zeros(2), "more": Command()}, here / "global.pt")
