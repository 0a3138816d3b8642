"""Writes quick-script.pt and exact-script.pt: TorchScript archives of a tiny open_clip CLIP (3.3, torch 2.15).

The weights repeat a few numbers, so that the packed archives are small; what they are stands in the rule:
tensor number i of the sorted names holds (j % 7 - 3) / 8 + i / 64 at place j.
"""

import pathlib
import zipfile

import torch
from open_clip import CLIP
from open_clip.model import CLIPTextCfg, CLIPVisionCfg

here = pathlib.Path(__file__).parent
for name, quick in [("quick", True), ("exact", False)]:
    model = CLIP(
        embed_dim=16, quick_gelu=quick,
        vision_cfg=CLIPVisionCfg(image_size=16, layers=1, width=64, head_width=64, patch_size=8),
        text_cfg=CLIPTextCfg(context_length=8, vocab_size=20, width=64, heads=1, layers=1)).half()
    with torch.no_grad():
        for i, (_, p) in enumerate(sorted(model.named_parameters())):
            p.copy_(((torch.arange(p.numel()) % 7 - 3) / 8 + i / 64).reshape(p.shape))
    whole = here / "script.whole"
    torch.jit.script(model).save(str(whole))
    with zipfile.ZipFile(whole) as old:
        with zipfile.ZipFile(here / f"{name}-script.pt", "w") as new:
            for item in old.infolist():
                if not item.filename.endswith(".debug_pkl"):  # They hold this machine's paths.
                    inside = "script/" + item.filename.split("/", 1)[1]
                    new.writestr(zipfile.ZipInfo(inside), old.read(item), zipfile.ZIP_DEFLATED)
    whole.unlink()
