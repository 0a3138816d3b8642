"""open_clip's own evaluation of a model and of pairs that a test has written.

`evaluation.py FOLDER`: FOLDER/open_clip holds the model in open_clip's layout; FOLDER/pairs.json is a list of {file, caption,
label}, FOLDER/classes.json {names, templates}. Prints one JSON object: what `open_clip_train.train.get_clip_metrics` and
`open_clip_train.zero_shot.run` give, the AUC of matched against rotated pairs, and the features of both towers.
"""

import argparse
import json
import pathlib
import sys

import open_clip
import torch
from open_clip.zero_shot_classifier import build_zero_shot_classifier
from open_clip_train import zero_shot
from open_clip_train.train import get_clip_metrics
from PIL import Image


def accuracy(output, target, topk=(1,)):
    """open_clip_train's, whose last step (an array of one as a float) numpy 2 refuses."""
    pred = output.topk(max(topk), 1, True, True)[1].t()
    correct = pred.eq(target.view(1, -1).expand_as(pred))
    return [correct[:k].float().sum().item() for k in topk]


zero_shot.accuracy = accuracy

here = pathlib.Path(sys.argv[1])
name = f"local-dir:{here / 'open_clip'}"
model, _, transform = open_clip.create_model_and_transforms(name)
model.eval()
tokenize = open_clip.get_tokenizer(name)
pairs = json.loads((here / "pairs.json").read_text())
classes = json.loads((here / "classes.json").read_text())
images = torch.stack([transform(Image.open(here / pair["file"])) for pair in pairs])
with torch.inference_mode():
    pictures = model.encode_image(images, normalize=True)
    texts = model.encode_text(tokenize([pair["caption"] for pair in pairs]), normalize=True)
    metrics = get_clip_metrics(pictures, texts, model.logit_scale.exp())
    templates = [lambda name, t=t: t.replace("{}", name) for t in classes["templates"]]
    classifier = build_zero_shot_classifier(
        model, tokenize, classes["names"], templates, num_classes_per_batch=3, device="cpu")
labels = torch.tensor([pair["label"] for pair in pairs])
batches = [(images[i:i + 10], labels[i:i + 10]) for i in range(0, len(pairs), 10)]
top1, top5 = zero_shot.run(
    model, classifier, batches, argparse.Namespace(device="cpu", precision="fp32", batch_size=10))
own = (pictures * texts).sum(1)
crossed = (pictures.roll(-(len(pairs) // 2), 0) * texts).sum(1)
wins = (own[:, None] > crossed).double() + 0.5 * (own[:, None] == crossed)
print(json.dumps({
    "metrics": {key: float(value) for key, value in metrics.items()},
    "top1": top1, "top5": top5, "auc": float(wins.mean()),
    "images": pictures.flatten().tolist(), "texts": texts.flatten().tolist(),
    "classes": classifier.t().flatten().tolist(),
}))
