#!/usr/bin/env python3
"""Trains open_clip on the pairs of a run as `pairloom train` did, and scores other pairs with it.

usage: filter_network.py MODEL SHARD… --score SHARD… --out SCORES.csv [--seed 1] [--threads 2]

MODEL is a folder of `pairloom train`: its manifest.yaml says model, batch, samples, schedule, optimiser and crops,
its tokenizer.merges the words, so that both sides see the same tokens. All else is open_clip's: initialisation,
transforms, tokenizer, loss, `cosine_lr` and the groups of its trainer that decay. Pictures are decoded once and kept.
Prints a line of JSON with the seconds of training and the last loss. SCORES.csv has shard, key and cosine.
"""
import argparse, csv, gzip, json, random, tempfile, time, warnings

import open_clip, torch, yaml
from open_clip.loss import ClipLoss
from open_clip.transform import image_transform
from open_clip_train.scheduler import cosine_lr

from shard_pairs import pairs

warnings.filterwarnings("ignore")
options = argparse.ArgumentParser()
options.add_argument("model")
options.add_argument("shards", nargs="+")
options.add_argument("--score", nargs="+", required=True)
options.add_argument("--out", required=True)
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
crop = image_transform(
    size, is_train=True, mean=means.get("mean"), std=means.get("std"),
    aug_cfg={"scale": tuple(manifest["augmentation"]["scale"])})
center = image_transform(size, is_train=False, mean=means.get("mean"), std=means.get("std"))

rates = {name: value if name == "decay_rule" else float(value) for name, value in manifest["optimizer"].items()}
batch = manifest["global_batch"]
steps = -(-int(manifest["samples"]) // batch)
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
begin, worked, order, loss = time.perf_counter(), time.process_time(), [], None
model.train()
for step in range(steps):
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
seconds, worked = time.perf_counter() - begin, time.process_time() - worked

model.eval()
with open(options.out, "w", newline="") as file, torch.no_grad():
    table = csv.writer(file)
    table.writerow(["shard", "key", "score"])
    for path in options.score:
        scored = list(pairs(path))
        for start in range(0, len(scored), 256):
            part = scored[start:start + 256]
            images = model.encode_image(torch.stack([center(p) for _, p, _ in part]), normalize=True)
            texts = model.encode_text(tokenize([c for _, _, c in part]), normalize=True)
            for (key, _, _), score in zip(part, (images * texts).sum(-1).tolist()):
                table.writerow([path, key, score])
print(json.dumps(dict(peer="open_clip", version=open_clip.__version__, seed=options.seed, pairs=len(trained),
    samples=steps * batch, seconds=round(seconds, 1), cpu_seconds=round(worked, 1), loss=round(float(loss), 4),
    scale=round(float(model.logit_scale.exp()), 2))), flush=True)
