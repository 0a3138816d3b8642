"""Writes types.safetensors: one tensor per type of number, by the safetensors package (0.8) and torch."""

import pathlib

import torch
from safetensors.torch import save_file

values = [0.0, 1.0, -2.5, 65504.0, 6.1e-5, 3.140625]
floats = {n: torch.tensor(values, dtype=t) for n, t in [
    ("F64", torch.float64), ("F32", torch.float32), ("F16", torch.float16), ("BF16", torch.bfloat16)]}
whole = [0, 1, 100, -100, 127, -128]
integers = {n: torch.tensor(whole, dtype=t) for n, t in [
    ("I64", torch.int64), ("I32", torch.int32), ("I16", torch.int16), ("I8", torch.int8)]}
tensors = floats | integers | {
    "U8": torch.tensor([0, 1, 200, 255, 7, 8], dtype=torch.uint8),
    "BOOL": torch.tensor([False, True, True, False, False, True]),
    "scalar": torch.tensor(0.25),
    "empty": torch.zeros(0, 3),
    "matrix é\"\\": torch.arange(6.0).reshape(2, 3),
}
path = pathlib.Path(__file__).parent / "types.safetensors"
save_file(tensors, path, metadata={"format": "pt", "note": "line\n\"quoted\" é"})
