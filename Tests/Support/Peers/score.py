#!/usr/bin/env python3
"""Times scoring by CLIP against open_clip and onnxruntime with the same weights, turn by turn.

usage: score.py --data FOLDER --peer PYTHON [--bench BIN] [--n 512] [--rounds 3] [--model ViT-B-32]

FOLDER has captions.jsonl and the JPEG pictures that it names. The weights are open_clip's random ones of seed 0:
their time is that of trained ones. Sides, each in a process of its own:

- the model alone: pictures of numbers, captions tokenised before; pairloom in Float and in int8, open_clip,
  onnxruntime on the towers exported from the same weights (its captions are padded to 77 as exported);
- from JPEG bytes and caption strings to scores: pairloom, and open_clip with its own transforms, tokenizer and
  a DataLoader of as many workers as threads; peak memory is that of all processes of a side, summed PSS.

Prints a JSON line per side, medians of the rounds: pairs per second of wall and of all cores' time. On a machine
with other work the latter is the one to believe. PYTHON has torch, open_clip and onnxruntime; the export needs no
`onnx`, whose one use, adding functions of onnxscript, is stepped over.
"""
import argparse, io, json, os, resource, statistics, subprocess, sys, tarfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))


def captions(count):
    """Those of pairloom-bench."""
    words = "a photo of the small red dog running over green grass near water".split()
    return [" ".join(words[i % 5: i % 5 + 6 + i % 8]) for i in range(count)]


def load_model(options):
    import open_clip, safetensors.torch, torch

    torch.set_num_threads(options.threads)
    model = open_clip.create_model(options.model, pretrained=None).eval()
    weights = os.path.join(options.work, "weights.safetensors")
    if os.path.exists(weights):
        model.load_state_dict(safetensors.torch.load_file(weights))
    return model


def pair_members(options):
    """(bytes, caption) of the sample."""
    pairs = []
    with tarfile.open(os.path.join(options.work, "pairs.tar")) as tar:
        members = tar.getmembers()
        for image, text in zip(members[::2], members[1::2]):
            pairs.append((tar.extractfile(image).read(), tar.extractfile(text).read().decode()))
    return pairs


def prepare(options):
    """Writes weights, towers for onnxruntime and the sample of pairs."""
    import importlib, random, warnings
    import safetensors.torch, torch
    from PIL import Image

    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    model = load_model(options)
    safetensors.torch.save_file(model.state_dict(), os.path.join(options.work, "weights.safetensors"))

    rows = [json.loads(line) for line in open(os.path.join(options.data, "captions.jsonl"))]
    random.Random(1).shuffle(rows)
    number = 0
    with tarfile.open(os.path.join(options.work, "pairs.tar"), "w") as tar:
        for row in rows:
            data = open(os.path.join(options.data, row["path"]), "rb").read()
            # open_clip resizes before it converts, which is another picture of CMYK.
            if not data.startswith(b"\xff\xd8") or Image.open(io.BytesIO(data)).mode != "RGB":
                continue
            number += 1
            if number > options.n:
                break
            for ending, content in (("jpg", data), ("txt", row["caption"].encode())):
                member = tarfile.TarInfo(f"{number:06d}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))

    class Tower(torch.nn.Module):
        def __init__(self, call):
            super().__init__()
            self.model, self.call = model, call

        def forward(self, x):
            return getattr(self.model, self.call)(x)

    importlib.import_module(
        "torch.onnx._internal.torchscript_exporter.onnx_proto_utils")._add_onnxscript_fn = lambda model, _: model
    size = model.visual.image_size
    size = size[0] if isinstance(size, (tuple, list)) else size
    for name, call, example in (
        ("image", "encode_image", torch.randn(2, 3, size, size)),
        ("text", "encode_text", torch.randint(1, 1000, (2, 77))),
    ):
        torch.onnx.export(
            Tower(call), (example,), os.path.join(options.work, name + ".onnx"), dynamo=False, opset_version=17,
            input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "b"}, "y": {0: "b"}})


def timed(work):
    """Wall and cores' seconds of this process and of its children that have ended."""
    def processor():
        return sum(
            used.ru_utime + used.ru_stime
            for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))

    began, before = time.perf_counter(), processor()
    work()
    return time.perf_counter() - began, processor() - before


def serve_model(options):
    """The towers alone, by torch or by onnxruntime."""
    import open_clip, torch

    tokens = open_clip.get_tokenizer(options.model)(captions(options.n))
    images = torch.randn(options.n, 3, 224, 224)
    if options.side == "open_clip":
        model = load_model(options)
        image, text = model.encode_image, model.encode_text
    else:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        sessions = [
            onnxruntime.InferenceSession(
                os.path.join(options.work, name + ".onnx"), settings, providers=["CPUExecutionProvider"])
            for name in ("image", "text")]
        images, tokens = images.numpy(), tokens.numpy()
        image, text = (lambda x, s=s: s.run(None, {"x": x}) for s in sessions)

    def run(count):
        for start in range(0, count, options.batch):
            image(images[start:start + options.batch])
            text(tokens[start:start + options.batch])

    with torch.inference_mode():
        run(options.batch)
        wall, cores = timed(lambda: run(options.n))
    return dict(pairs=options.n, pairs_per_s=options.n / wall, pairs_per_cpu_s=options.n / cores)


def serve_bytes(options):
    """open_clip from bytes and strings to cosines."""
    import open_clip, torch
    from PIL import Image

    model = load_model(options)
    preprocess = open_clip.image_transform(model.visual.image_size, is_train=False)
    tokenizer = open_clip.get_tokenizer(options.model)
    pairs = pair_members(options)

    class Pairs(torch.utils.data.Dataset):
        def __len__(self):
            return len(pairs)

        def __getitem__(self, index):
            image, caption = pairs[index]
            return preprocess(Image.open(io.BytesIO(image))), tokenizer([caption])[0]

    scores = []

    def run():
        loader = torch.utils.data.DataLoader(Pairs(), batch_size=options.batch, num_workers=options.threads)
        with torch.inference_mode():
            for images, tokens in loader:
                image = torch.nn.functional.normalize(model.encode_image(images), dim=-1)
                text = torch.nn.functional.normalize(model.encode_text(tokens), dim=-1)
                scores.extend((image * text).sum(-1).tolist())

    with torch.inference_mode():
        model.encode_image(torch.randn(options.batch, 3, 224, 224))
    wall, cores = timed(run)
    return dict(pairs=len(pairs), pairs_per_s=len(pairs) / wall, pairs_per_cpu_s=len(pairs) / cores, scores=scores)


def proportional(pid):
    """Memory of a process and its children in bytes, shared pages by their share."""
    total = 0
    try:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in open(f"/proc/{pid}/task/{task}/children").read().split():
                total += proportional(child)
    except (FileNotFoundError, ProcessLookupError):
        pass  # It ended while it was looked at.
    return total


def run_watched(command):
    """The last line of the command's output as JSON, and the most memory that it was seen to have."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak, ended = [0], threading.Event()

    def watch():
        while not ended.wait(0.25):
            peak[0] = max(peak[0], proportional(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, errors = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"score.py: {' '.join(command)}: {errors}")
    return dict(json.loads(out.splitlines()[-1]), peak_pss_mb=peak[0] / 1e6)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--bench", default=os.path.join(HERE, "../../../.build/release/pairloom-bench"))
    parser.add_argument("--work", default=os.path.join(HERE, "../../../.build/bench-score"))
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--part", choices=["prepare", "model", "bytes"], help=argparse.SUPPRESS)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "prepare":
        return prepare(options)
    if options.part:
        return print(json.dumps(serve_model(options) if options.part == "model" else serve_bytes(options)))
    os.makedirs(options.work, exist_ok=True)
    shared = [
        f"--{name}={getattr(options, name)}" for name in ("data", "work", "n", "batch", "threads", "model")]

    def peer(part, side):
        return [options.peer, "-W", "ignore", os.path.abspath(__file__), *shared, f"--part={part}", f"--side={side}"]

    prepared = subprocess.run(peer("prepare", ""), capture_output=True, text=True)
    if prepared.returncode:
        sys.exit(f"score.py: preparing failed: {prepared.stderr}")
    alone = [
        options.bench, "score", "--model", options.model, "--pairs", str(options.n), "--batches", str(options.batch),
        "--threads", str(options.threads), "--rounds", "1"]
    out = os.path.join(options.work, "scores.txt")
    files = [
        options.bench, "score-pairs", os.path.join(options.work, "pairs.tar"), "--weights",
        os.path.join(options.work, "weights.safetensors"), "--model-config", options.model, "--threads",
        str(options.threads), "--rounds", "1"]
    sides = {
        ("model alone", "pairloom"): alone,
        ("model alone", "open_clip"): peer("model", "open_clip"),
        ("model alone", "onnxruntime"): peer("model", "onnxruntime"),
        ("model alone", "pairloom int8"): alone + ["--precision", "int8"],
        ("model alone", "pairloom, AVX2"): alone + ["--avx2"],
        ("model alone", "pairloom int8, AVX2"): alone + ["--precision", "int8", "--avx2"],
        ("from bytes", "pairloom"): files + ["--out", out],
        ("from bytes", "open_clip"): peer("bytes", "open_clip"),
    }
    seen = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side, command in sides.items():
            seen[side].append(run_watched(command))
    for (what, side), rounds in seen.items():
        line = dict(figure=f"score {options.model}, {what}", side=side, pairs=rounds[0]["pairs"], rounds=len(rounds))
        for key in ("pairs_per_s", "pairs_per_cpu_s", "peak_pss_mb", "sgemm_gflops", "tower_gflops", "share_of_sgemm"):
            if key in rounds[0]:
                line[key] = round(statistics.median(each[key] for each in rounds), 3)
        print(json.dumps(line))
    theirs = seen["from bytes", "open_clip"][-1]["scores"]
    ours = [float(line) for line in open(out)]
    print(json.dumps(dict(
        figure=f"score {options.model}: differences", pairs=len(ours),
        largest=max(abs(a - b) for a, b in zip(ours, theirs, strict=True)),
        load=round(os.getloadavg()[0], 1))))


main()
