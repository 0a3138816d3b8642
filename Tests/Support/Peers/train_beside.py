#!/usr/bin/env python3
"""Trains open_clip on the pairs of a run as `pairloom train` did, and judges other pairs with it.

usage: train_beside.py MODEL SHARD… [--seed 1] [--threads 2] [--start WEIGHTS] [--batches FILE] [--losses FILE]
         [--score SHARD… --out SCORES.csv] [--features SHARD… --arrays FILE.npz]
         [--zeroshot SHARD… --classes FILE --templates FILE]

MODEL is a folder of `pairloom train`: its manifest.yaml says model, batch, samples, schedule, optimiser and crops,
its tokenizer.merges the words, so that both sides see the same tokens. All else is open_clip's: initialisation,
transforms, tokenizer, loss, `cosine_lr` and the groups of its trainer that decay. Pictures are decoded once and kept.
With --start it begins with these weights (safetensors); with --batches it takes the pairs that `pairloom-bench batches`
lists, step by step; --losses gets a line of JSON a step. SCORES.csv has shard, key and cosine; FILE.npz `images` and
`texts`, rows of length one, rounded to half as `pairloom embed` does; --zeroshot prints top-1 by open_clip's own
`build_zero_shot_classifier`, the class of a pair being its .cls member. Prints a line of JSON at the end.
"""
import argparse, csv, gzip, json, random, tempfile, time, warnings

import numpy, open_clip, torch, yaml
from open_clip.loss import ClipLoss
from open_clip.transform import image_transform
from open_clip_train.scheduler import cosine_lr

from shard_pairs import pairs

warnings.filterwarnings("ignore")
options = argparse.ArgumentParser()
options.add_argument("model")
options.add_argument("shards", nargs="+")
options.add_argument("--score", nargs="+", default=[])
options.add_argument("--out")
options.add_argument("--features", nargs="+", default=[])
options.add_argument("--arrays")
options.add_argument("--zeroshot", nargs="+", default=[])
options.add_argument("--classes")
options.add_argument("--templates")
options.add_argument("--start")
options.add_argument("--batches")
options.add_argument("--losses")
options.add_argument("--seed", type=int, default=1)
options.add_argument("--threads", type=int, default=2)
options = options.parse_args()
manifest = yaml.safe_load(open(options.model + "/manifest.yaml"))
torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
random.seed(options.seed)


with tempfile.TemporaryDirectory() as folder:
    # Its reader takes a compressed table, and an empty last line for a merge.
    with gzip.open(folder + "/merges.gz", "wt", encoding="utf-8") as file:
        file.write(open(options.model + "/tokenizer.merges", encoding="utf-8").read().rstrip("\n"))
    context = manifest["model"]["text_cfg"]["context_length"]
    tokenize = open_clip.SimpleTokenizer(folder + "/merges.gz", context_length=context)

config = manifest["model"]
text = dict(config["text_cfg"], vocab_size=tokenize.vocab_size)
model = open_clip.CLIP(config["embed_dim"], dict(config["vision_cfg"]), text)
size = config["vision_cfg"]["image_size"]
means = manifest.get("preprocessing") or {}
center = image_transform(size, is_train=False, mean=means.get("mean"), std=means.get("std"))
crop = center
if (manifest.get("augmentation") or {}).get("scale"):
    crop = image_transform(
        size, is_train=True, mean=means.get("mean"), std=means.get("std"),
        aug_cfg={"scale": tuple(manifest["augmentation"]["scale"])})
if options.start:
    from safetensors.torch import load_file

    model.load_state_dict(load_file(options.start))

words = {"decay_rule", "schedule"}
rates = {name: value if name in words else float(value) for name, value in manifest["optimizer"].items()}
batch = manifest["global_batch"]
steps = int(manifest["steps"]) if manifest.get("steps") else -(-int(manifest["samples"]) // batch)
# As open_clip_train.main: gains, biases and the scale do not decay.
exempt = lambda name, p: p.ndim < 2 or any(part in name for part in ("bn", "ln", "bias", "logit_scale"))
named = list(model.named_parameters())
optimizer = torch.optim.AdamW(
    [{"params": [p for n, p in named if exempt(n, p)], "weight_decay": 0.0},
     {"params": [p for n, p in named if not exempt(n, p)], "weight_decay": rates["weight_decay"]}],
    lr=rates["learning_rate"], betas=(rates["beta1"], rates["beta2"]), eps=rates["epsilon"])
schedule = cosine_lr(optimizer, rates["learning_rate"], int(rates["warmup_steps"]), steps)
loss_of = ClipLoss()

trained = [pair for path in options.shards for pair in pairs(path)]
tokens = tokenize([caption for _, _, caption in trained])
listed = None
if options.batches:
    number = {key: i for i, (key, _, _) in enumerate(trained)}
    listed = [[number[key] for key in json.loads(line)["keys"]] for line in open(options.batches)]
losses = open(options.losses, "w") if options.losses else None
begin, worked, order, loss = time.perf_counter(), time.process_time(), [], None
model.train()
for step in range(steps):
    if listed:
        chosen = listed[step]
    else:
        while len(order) < batch:  # the epochs follow each other without a gap
            order += random.sample(range(len(trained)), len(trained))
        chosen, order = order[:batch], order[batch:]
    schedule(step)
    pictures = torch.stack([crop(trained[i][1]) for i in chosen])
    images, texts, scale = model(pictures, tokens[chosen])[:3]
    loss = loss_of(images, texts, scale)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if rates.get("clip_norm"):
        torch.nn.utils.clip_grad_norm_(model.parameters(), rates["clip_norm"])
    optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, 4.605170185988092)
    if losses:
        print(json.dumps(dict(step=step + 1, loss=float(loss.detach()))), file=losses, flush=True)
seconds, worked = time.perf_counter() - begin, time.process_time() - worked

model.eval()


@torch.no_grad()
def encoded(shards):
    """Path, keys, and features of length one, part by part."""
    for path in shards:
        found = list(pairs(path))
        for start in range(0, len(found), 256):
            part = found[start:start + 256]
            images = model.encode_image(torch.stack([center(p) for _, p, _ in part]), normalize=True)
            texts = model.encode_text(tokenize([c for _, _, c in part]), normalize=True)
            yield path, [key for key, _, _ in part], images, texts


if options.score:
    with open(options.out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["shard", "key", "score"])
        for path, keys, images, texts in encoded(options.score):
            table.writerows(zip([path] * len(keys), keys, (images * texts).sum(-1).tolist()))
if options.features:
    parts = [(images, texts) for _, _, images, texts in encoded(options.features)]
    images, texts = (torch.cat(side).half().numpy() for side in zip(*parts))
    numpy.savez(options.arrays, images=images, texts=texts)
top = None
if options.zeroshot:
    names = open(options.classes).read().splitlines()
    lines = open(options.templates).read().splitlines()
    formats = [lambda name, line=line: line.replace("{}", name) for line in lines]
    with torch.no_grad():
        classifier = open_clip.build_zero_shot_classifier(model, tokenize, names, formats)
        right = total = 0
        for path in options.zeroshot:
            found = list(pairs(path, "cls"))
            for start in range(0, len(found), 500):
                part = found[start:start + 500]
                images = model.encode_image(torch.stack([center(p) for _, p, _ in part]), normalize=True)
                right += sum(int(c) == int(label) for c, (_, _, label) in zip((images @ classifier).argmax(-1), part))
                total += len(part)
    top = round(right / total, 4)
print(json.dumps(dict(peer="open_clip", version=open_clip.__version__, seed=options.seed, pairs=len(trained),
    samples=steps * batch, seconds=round(seconds, 1), cpu_seconds=round(worked, 1), loss=round(float(loss.detach()), 4), top1=top,
    scale=round(float(model.logit_scale.exp()), 2))), flush=True)
