"""Reads a folder of event files: `event_files.py FOLDER` prints {tag: [[step, value], …]} as one JSON object.

By TensorBoard itself where it is installed; else by a reader of its own, which checks lengths and checksums and drops what a
session that started again has orphaned.
"""

import json
import pathlib
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data = path.read_bytes()
    at = 0
    while at < len(data):
        head = data[at:at + 8]
        (length,), (check,) = struct.unpack("<Q", head), struct.unpack("<I", data[at + 8:at + 12])
        assert crc32c(head) == check, f"{path}@{at}: length"
        event = data[at + 12:at + 12 + length]
        assert len(event) == length
        assert crc32c(event) == struct.unpack("<I", data[at + 12 + length:at + 16 + length])[0], f"{path}@{at}: data"
        yield event
        at += 16 + length


def fields(message):
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, message[at:at + size]
        at += size


def own(folder):
    scalars = {}
    for path in sorted(folder.glob("*tfevents*")):
        for number, event in enumerate(records(path)):
            parts = dict(fields(event))
            assert number > 0 or parts[3] == b"brain.Event:2"
            step = parts.get(2, 0)
            if 7 in parts and dict(fields(parts[7]))[1] == 1:
                scalars = {tag: [p for p in points if p[0] < step] for tag, points in scalars.items()}
            for _, value in fields(parts.get(5, b"")):
                value = dict(fields(value))
                scalars.setdefault(value[1].decode(), []).append([step, struct.unpack("<f", value[2])[0]])
    return scalars


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    accumulator.Reload()
    return {
        tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


folder = pathlib.Path(sys.argv[1])
found = own(folder)
try:
    import tensorboard as _
except ImportError:
    pass
else:
    theirs = tensorboard(folder)
    assert theirs == found, f"TensorBoard reads {theirs}, not {found}"
    print("TensorBoard agrees", file=sys.stderr)
print(json.dumps(found))
