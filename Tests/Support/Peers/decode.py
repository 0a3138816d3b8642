#!/usr/bin/env python3
"""Times decode → 256 px centre crop → JPEG of quality 95 against img2dataset's resizer and Pillow.

usage: decode.py FOLDER --peer PYTHON [--bench BIN] [--n 600] [--rounds 3] [--name WORDS]

One thread each, turn by turn, on the same files in the same order. Prints a JSON line per side:
pictures per CPU second, the median of the rounds. PYTHON has img2dataset 1.47.0 and Pillow. Pillow
resizes by its bicubic filter with `draft` off, which is what `--exact --filter bicubic` does here to the bit.
"""
import argparse, io, json, os, random, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))


def pictures(folder, count):
    """The contents of a fixed sample of the files below the folder."""
    paths = sorted(
        os.path.join(place, name) for place, _, names in os.walk(folder) for name in names
        if not name.endswith(".jsonl"))
    random.Random(1).shuffle(paths)
    return [open(path, "rb").read() for path in paths[:count]]


def img2dataset_resizer():
    import cv2
    from img2dataset.resizer import Resizer

    cv2.setNumThreads(1)
    resizer = Resizer(
        image_size=256, resize_mode="center_crop", resize_only_if_bigger=False, encode_quality=95,
        upscale_interpolation="lanczos", downscale_interpolation="area", encode_format="jpg")
    return lambda data: resizer(io.BytesIO(data))[0] is not None


def pillow():
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None

    def shrink(data):
        image = Image.open(io.BytesIO(data))
        image.load()
        if image.mode in ("LA", "P", "PA", "RGBA"):
            paper = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(paper, image.convert("RGBA"))
        image = image.convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BICUBIC)
        left, top = (image.width - 256) // 2, (image.height - 256) // 2
        image.crop((left, top, left + 256, top + 256)).save(io.BytesIO(), "JPEG", quality=95)
        return True

    return shrink


def serve(folder, count, side):
    """One round of a peer, in a process of its own: prints the CPU seconds and how many came out."""
    work = {"img2dataset": img2dataset_resizer, "Pillow": pillow}[side]()
    data = pictures(folder, count)
    for each in data[:20]:  # libraries load lazily
        attempt(work, each)
    start = time.process_time()
    done = sum(attempt(work, each) for each in data)
    print(json.dumps(dict(pictures=len(data), ok=done, cpu_s=time.process_time() - start)))


def attempt(work, data):
    # What is no picture raises whatever its library likes; the count of those that came out is shown.
    try:
        return bool(work(data))
    except Exception:
        return False


def one_round(options, side):
    if side.startswith("pairloom"):
        command = [options.bench, "decode", options.folder, "--n", str(options.n), "--rounds", "1"]
        command += ["--exact", "--filter", "bicubic"] if side.endswith("exact") else []
    else:
        command = [options.peer, os.path.abspath(__file__), options.folder, "--n", str(options.n), "--side", side]
    line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    rate = line["per_cpu_s"] if side.startswith("pairloom") else line["pictures"] / line["cpu_s"]
    return dict(pictures=line["pictures"], ok=line["ok"], per_cpu_s=rate)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--peer")
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--n", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default="pictures", help="what the folder holds")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        return serve(options.folder, options.n, options.side)
    if not options.peer:
        sys.exit("decode.py: name the peer's Python with --peer")
    sides = ["pairloom", "pairloom exact", "img2dataset", "Pillow"]
    rounds = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            rounds[side].append(one_round(options, side))
    rates = {side: statistics.median(each["per_cpu_s"] for each in rounds[side]) for side in sides}
    for side in sides:
        print(json.dumps(dict(
            figure=f"decode {options.name}", side=side, pictures=rounds[side][0]["pictures"],
            ok=rounds[side][0]["ok"], rounds=options.rounds, per_cpu_s=round(rates[side], 1))))
    print(json.dumps(dict(
        figure=f"decode {options.name}: ratios",
        to_img2dataset=round(rates["pairloom"] / rates["img2dataset"], 2),
        exact_to_pillow=round(rates["pairloom exact"] / rates["Pillow"], 2))))


main()
