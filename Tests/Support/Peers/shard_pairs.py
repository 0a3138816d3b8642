"""The pairs of a WebDataset shard, plain or LZ4, for the scripts of this folder."""
import io, subprocess, tarfile

from PIL import Image


def pairs(path, text="txt"):
    """(key, RGB picture, what the member `text` says) in order. `lz4` is Debian's program."""
    data = open(path, "rb").read()
    if path.endswith(".lz4"):
        data = subprocess.run(["lz4", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    members = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            key, kind = member.name.rsplit(".", 1)
            members.setdefault(key, {})[kind] = tar.extractfile(member).read()
    for key, parts in members.items():
        picture = parts.get("jpg") or parts["png"]
        yield key, Image.open(io.BytesIO(picture)).convert("RGB"), parts[text].decode()
