#!/usr/bin/env python3
"""Times whole steps of training beside open_clip on torch, turn by turn: forward, loss, backward, clipping, AdamW.

usage: train_steps.py --peer PYTHON [--bench BIN] [--rounds 3] [--steps 3] [--threads 2] [MODEL:BATCH…]

Without models those of the README. Each side is a process of its own, whose first step is not timed. The captions are
the benchmark's, some eleven tokens long with start and end; open_clip computes all 77. Prints a table of medians, and on
standard error the same as JSON lines. PYTHON has open_clip and torch.
"""
import argparse, json, os, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = ["ViT-B-32:64", "ViT-S-32-alt:128", "ViT-S-32:128"]


def serve(model, batch, steps, threads):
    """One round of the peer."""
    import resource

    import open_clip, torch
    from open_clip.loss import ClipLoss

    torch.set_num_threads(threads)
    clip = open_clip.create_model(model).train()
    side = clip.visual.image_size
    side = side if isinstance(side, int) else side[0]
    said = "a photo of the small red dog running over green grass near water".split()
    texts = open_clip.get_tokenizer(model)([" ".join(said[i % 5:i % 5 + 6 + i % 8]) for i in range(batch)])
    images = torch.randn(batch, 3, side, side)
    parameters = list(clip.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2)
    loss_of, seconds = ClipLoss(), []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        loss = loss_of(*clip(images, texts)[:3])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            clip.logit_scale.clamp_(0, 4.605170185988092)
        seconds.append(time.perf_counter() - begin)
    median = statistics.median(seconds[1:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(pairs_per_s=batch / median, peak_rss_mb=peak)))


def output(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--peer")
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        model, batch = options.models[0].split(":")
        return serve(model, int(batch), options.steps, options.threads)
    if not options.peer:
        parser.error("--peer PYTHON is missing: one that has open_clip and torch")
    counts = ["--steps", str(options.steps), "--threads", str(options.threads)]
    print(f"{'model, batch':<20}{'pairloom':>10}{'open_clip':>11}{'×':>7}   peak MB: {'ours':>7}{'theirs':>8}{'share':>7}")
    for name in options.models:
        model, batch = name.split(":")
        rounds = {"pairloom": [], "open_clip": []}
        for _ in range(options.rounds):
            rounds["pairloom"].append(
                output([options.bench, "train-step", "--model", model, "--batch", batch, *counts]))
            rounds["open_clip"].append(
                output([options.peer, "-W", "ignore", os.path.abspath(__file__), name, "--serve", *counts]))
        figures = {
            side: {key: statistics.median(r[key] for r in found) for key in ("pairs_per_s", "peak_rss_mb")}
            for side, found in rounds.items()}
        ours, theirs = figures["pairloom"], figures["open_clip"]
        print(f"{name:<20}{ours['pairs_per_s']:>10.1f}{theirs['pairs_per_s']:>11.1f}"
              f"{ours['pairs_per_s'] / theirs['pairs_per_s']:>7.2f}{'':>12}{ours['peak_rss_mb']:>7.0f}"
              f"{theirs['peak_rss_mb']:>8.0f}{ours['peak_rss_mb'] / theirs['peak_rss_mb']:>7.2f}", flush=True)
        print(json.dumps(dict(figure="train step", model=model, batch=int(batch), rounds=options.rounds, **figures)),
              file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
