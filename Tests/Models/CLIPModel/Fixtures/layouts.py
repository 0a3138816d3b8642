"""Writes a small CLIP in the layouts of all libraries, or loads the layouts that pairloom wrote.

usage: layouts.py write FOLDER    by open_clip 3.3, transformers 5, torch 2.15
       layouts.py check FOLDER    prints a line per layout: its name and `same`, or what differs
"""

import json
import pathlib
import sys

import open_clip
import torch
from open_clip import CLIP, CustomTextCLIP
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import load_file, save_file

VISION = dict(image_size=32, layers=2, width=128, head_width=64, patch_size=8)
TEXT = dict(context_length=16, vocab_size=600, width=64, heads=1, layers=2)


def sizes():
    return dict(embed_dim=48, vision_cfg=CLIPVisionCfg(**VISION), text_cfg=CLIPTextCfg(**TEXT))


def model(quick=True):
    torch.manual_seed(5)
    made = CLIP(quick_gelu=quick, **sizes())
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


def hugging_face(state, quick, dtype=torch.float32):
    """transformers' CLIPModel with open_clip's weights; written from trainers' tables, not from pairloom."""
    from transformers import CLIPConfig, CLIPModel

    act = "quick_gelu" if quick else "gelu"
    config = CLIPConfig(
        text_config=dict(hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=1,
                         vocab_size=600, max_position_embeddings=16, hidden_act=act,
                         bos_token_id=598, eos_token_id=599),
        vision_config=dict(hidden_size=128, intermediate_size=512, num_hidden_layers=2, num_attention_heads=2,
                           image_size=32, patch_size=8, hidden_act=act), projection_dim=48)
    made = CLIPModel(config)
    theirs = {}
    for name, value in state.items():
        tower = "vision_model." if name.startswith("visual.") else "text_model."
        inner = name.removeprefix("visual.")
        if inner.startswith("transformer.resblocks."):
            number, rest = inner.removeprefix("transformer.resblocks.").split(".", 1)
            block = f"{tower}encoder.layers.{number}."
            if rest.startswith("attn.in_proj_"):
                for letter, part in zip("qkv", value.chunk(3)):
                    theirs[f"{block}self_attn.{letter}_proj.{rest.removeprefix('attn.in_proj_')}"] = part
                continue
            for old, new in [("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"),
                             ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")]:
                rest = rest.replace(old, new)
            theirs[block + rest] = value
        elif inner in ("proj", "text_projection"):
            theirs["visual_projection.weight" if inner == "proj" else "text_projection.weight"] = value.t()
        elif name == "logit_scale":
            theirs[name] = value
        else:
            kind = {"class_embedding": "embeddings.class_embedding", "conv1.weight": "embeddings.patch_embedding.weight",
                    "positional_embedding": "embeddings.position_embedding.weight",
                    "token_embedding.weight": "embeddings.token_embedding.weight"}.get(inner)
            for old, new in [("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm"),
                             ("ln_final", "final_layer_norm")]:
                kind = kind or (inner.replace(old, new) if inner.startswith(old) else None)
            theirs[tower + kind] = value
    missing, unexpected = made.load_state_dict({k: v.contiguous() for k, v in theirs.items()}, strict=False)
    assert not unexpected and all("position_ids" in name for name in missing), (missing, unexpected)
    return made.to(dtype).eval()


def write(folder):
    whole = model()
    for name, dtype in [("float32", torch.float32), ("float16", torch.float16), ("bfloat16", torch.bfloat16)]:
        here = folder / name
        here.mkdir(parents=True)
        state = {k: v.detach().to(dtype) for k, v in whole.state_dict().items()}
        save_file({k: v.float().contiguous() for k, v in state.items()}, here / "expected.safetensors")
        save_file(state, here / "open_clip.safetensors")
        torch.save(state, here / "open_clip.pt")
        ema = {k: v + 1 for k, v in state.items()}
        torch.save({"epoch": 2, "name": "x", "state_dict": {f"module.{k}": v for k, v in state.items()},
                    "state_dict_ema": {f"module._orig_mod.{k}": v for k, v in ema.items()},
                    "optimizer": torch.optim.AdamW(whole.parameters()).state_dict()}, here / "checkpoint.pt")
        torch.save(state | {"input_resolution": torch.tensor(32), "context_length": torch.tensor(16),
                            "vocab_size": torch.tensor(600)}, here / "openai.pt")
        custom = CustomTextCLIP(quick_gelu=True, **sizes())
        custom.load_state_dict({k if k.startswith("visual.") or k == "logit_scale" else f"text.{k}": v
                                for k, v in state.items()})
        torch.save({"model": custom.to(dtype).state_dict()}, here / "custom.pt")
        theirs = hugging_face({k: v.float() for k, v in state.items()}, True, dtype)
        theirs.save_pretrained(here / "hf")
        theirs.save_pretrained(here / "hf-shards", max_shard_size="200KB")
        (here / "hf-bin").mkdir()
        torch.save(theirs.state_dict() | {"text_model.embeddings.position_ids": torch.arange(16).expand(1, -1)},
                   here / "hf-bin" / "pytorch_model.bin")
        (here / "hf-bin" / "config.json").write_bytes((here / "hf" / "config.json").read_bytes())
        script = torch.jit.script(model().to(dtype))
        script.load_state_dict(state, strict=False)  # Its mask is a buffer there.
        script.save(str(here / "script.pt"))


def differences(found, expected):
    if found.keys() != expected.keys():
        return f"names {sorted(found.keys() ^ expected.keys())[:4]}"
    wrong = [k for k in expected if not torch.equal(found[k].float().cpu(), expected[k].float())]
    return f"{len(wrong)} tensors, such as {wrong[0]}" if wrong else "same"


def check(folder):
    torch.manual_seed(1)
    images = torch.randn(3, 3, 32, 32)
    texts = torch.randint(1, 590, (3, 16))
    texts[:, 9] = 599
    for here in sorted(p for p in folder.iterdir() if p.is_dir()):
        expected = load_file(here / "pairloom" / "model.safetensors")
        quick = json.loads((here / "pairloom" / "model.json").read_text())["model_cfg"]["quick_gelu"]
        reference = CLIP(quick_gelu=quick, **sizes())
        reference.load_state_dict({k: v.float() for k, v in expected.items()})
        reference.eval()
        with torch.no_grad():
            wanted = reference.encode_image(images), reference.encode_text(texts)

        def report(name, state, features, wanted=wanted):
            problem = differences(state, expected)
            # Another order of additions: a few units in the last place of values around 1.
            if problem == "same" and not all(torch.allclose(a, b, atol=1e-4) for a, b in zip(features, wanted)):
                problem = "other features"
            print(here.name, name, problem)

        found = open_clip.create_model(f"local-dir:{here / 'open_clip'}")
        found = found.eval().float()
        with torch.no_grad():
            report("open_clip", found.state_dict(), (found.encode_image(images), found.encode_text(texts)))
        if (here / "openai").exists():
            found = open_clip.load_openai_model(str(here / "openai" / "model.pt"), precision="fp32", device="cpu")
            found.eval()
            state = torch.load(here / "openai" / "model.pt", weights_only=True)
            # That loader rounds maps and projections to halves on its way, whatever precision is asked for.
            halved = open_clip.model.CLIP(quick_gelu=quick, cast_dtype=torch.float16, **sizes())
            open_clip.model.convert_weights_to_fp16(halved)
            halved.load_state_dict(state)
            halved = halved.float().eval()
            with torch.no_grad():
                report("openai", state, (found.encode_image(images), found.encode_text(texts)),
                       (halved.encode_image(images), halved.encode_text(texts)))

        from transformers import CLIPModel, CLIPImageProcessor, CLIPTokenizer

        theirs = CLIPModel.from_pretrained(here / "huggingface", dtype=torch.float32).eval()
        processor = CLIPImageProcessor.from_pretrained(here / "huggingface")
        assert processor.crop_size["height"] == 32, processor
        assert len(CLIPTokenizer.from_pretrained(here / "huggingface")) == 600
        mine = hugging_face(reference.state_dict(), quick).state_dict()
        with torch.no_grad():
            image = theirs.visual_projection(theirs.vision_model(images).pooler_output)
            text = theirs.text_projection(theirs.text_model(texts).pooler_output)
        problem = differences(theirs.state_dict(), mine)
        if problem == "same" and not all(torch.allclose(a, b, atol=1e-4) for a, b in zip((image, text), wanted)):
            problem = "other features"
        print(here.name, "huggingface", problem)


{"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
