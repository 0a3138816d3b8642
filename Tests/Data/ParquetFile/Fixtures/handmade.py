"""Parquet files byte by byte, for what pyarrow does not write: old lists, old levels, odd layouts."""

import struct

INT32, INT64, BINARY = 1, 2, 6
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2
PLAIN, RLE, BIT_PACKED = 0, 3, 4


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return varint((value << 1) ^ (value >> 63))


class I64(int):
    """An integer whose field is an i64; others are i32."""


def thrift(value):
    """The compact protocol: dict a structure, list a list, bytes and str a binary."""
    if isinstance(value, dict):
        out, last = b"", 0
        for number, item in sorted(value.items()):
            step = number - last
            out += bytes([step << 4 | kind(item)]) if step < 16 else bytes([kind(item)]) + zigzag(number)
            out += b"" if isinstance(item, bool) else thrift(item)
            last = number
        return out + b"\0"
    if isinstance(value, list):
        head = kind(value[0])
        short = bytes([len(value) << 4 | head]) if len(value) < 15 else bytes([0xF0 | head]) + varint(len(value))
        return short + b"".join(map(thrift, value))
    if isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode()
        return varint(len(data)) + data
    return zigzag(value)


def kind(item):
    if isinstance(item, bool):
        return 1 if item else 2
    return {I64: 6, int: 5, bytes: 8, str: 8, list: 9, dict: 12}[type(item)]


def strings(values):
    return b"".join(struct.pack("<I", len(v)) + v for v in values)


def runs(levels, width):
    """Levels as RLE runs with their length before them."""
    out = b"".join(varint(1 << 1) + bytes([level]) for level in levels)
    return struct.pack("<I", len(out)) + out


def packed(levels, width):
    """Levels as the deprecated BIT_PACKED, most significant bit first."""
    bits = "".join(format(level, f"0{width}b") for level in levels)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def page(body, count, levels=RLE, crc=None, encoding=PLAIN):
    header = {1: 0, 2: len(body), 3: len(body), 5: {1: count, 2: encoding, 3: levels, 4: levels}}
    if crc is not None:
        header[4] = crc
    return thrift(header) + body


def dictionary(body, count):
    return thrift({1: 2, 2: len(body), 3: len(body), 7: {1: count, 2: PLAIN}}) + body


class File:
    """Columns of one row group; `add` takes the schema's elements and the pages."""

    def __init__(self, rows):
        self.rows, self.data, self.schema, self.chunks, self.top = rows, b"PAR1", [], [], 0

    def add(self, elements, path, type, count, pages, codec=0, **chunk):
        self.top += 1
        self.schema += elements
        start, body = len(self.data), b"".join(pages)
        self.data += body
        meta = {1: type, 2: [PLAIN, RLE], 3: path, 4: codec, 5: I64(count), 6: I64(len(body)), 7: I64(len(body)), 9: I64(start)}
        self.chunks.append({2: I64(0), 3: meta, **chunk})

    def write(self, path):
        schema = [{4: "root", 5: self.top}] + self.schema
        group = {1: self.chunks, 2: I64(len(self.data)), 3: I64(self.rows)}
        footer = thrift({1: 1, 2: schema, 3: I64(self.rows), 4: [group], 6: "by hand"})
        with open(path, "wb") as file:
            file.write(self.data + footer + struct.pack("<I", len(footer)) + b"PAR1")


def element(name, type=None, repetition=None, children=None, converted=None, **more):
    fields = {4: name}
    for number, value in ((1, type), (3, repetition), (5, children), (6, converted)):
        if value is not None:
            fields[number] = value
    return fields | more.get("fields", {})


def old_lists(path):
    """Three rows: [1, 2], [], [3]; each list in another of the old forms."""
    repetitions, definitions = [0, 1, 0, 0], [1, 1, 0, 1]
    ints = struct.pack("<3i", 1, 2, 3)
    file = File(3)
    # A required list of a repeated primitive, and one that has no list around it.
    file.add([element("two", None, REQUIRED, 1, 3), element("array", INT32, REPEATED)], ["two", "array"], INT32, 4, [page(runs(repetitions, 1) + runs(definitions, 1) + ints, 4)])
    file.add([element("bare", INT32, REPEATED)], ["bare"], INT32, 4, [page(runs(repetitions, 1) + runs(definitions, 1) + ints, 4)])
    # An optional one with levels in BIT_PACKED: [1, 2], null, [3].
    body = packed(repetitions, 1) + packed([2, 2, 0, 2], 2) + ints
    file.add([element("bits", None, OPTIONAL, 1, 3), element("element", INT32, REPEATED)], ["bits", "element"], INT32, 4, [page(body, 4, BIT_PACKED)])
    # A row that goes on over three pages, as the first writers made them.
    pages = [page(runs([0, 1], 1) + runs([1, 1], 1) + ints[:8], 2), page(runs([1], 1) + runs([1], 1) + ints[8:], 1), page(runs([1, 0, 0], 1) + runs([1, 0, 1], 1) + ints[:8], 3)]
    file.add([element("split", None, REQUIRED, 1, 3), element("array", INT32, REPEATED)], ["split", "array"], INT32, 6, pages)
    file.write(path)
    i = lambda *v: [f"i:{x}" for x in v]
    return {"two": [i(1, 2), [], i(3)], "bare": [i(1, 2), [], i(3)], "bits": [i(1, 2), None, i(3)], "split": [i(1, 2, 3, 1), [], i(2)]}


def odd_layouts(path):
    """Three rows of layouts that old and other writers leave behind."""
    file = File(3)
    # A dictionary that no offset names, and an empty page between.
    values = dictionary(strings([b"cat", b"dog"]), 2) + page(runs([], 1), 0, encoding=2) + page(runs([1, 0, 1], 1) + b"\1" + b"\3\2", 3, encoding=2)
    file.add([element("label", BINARY, OPTIONAL, None, 4)], ["label"], BINARY, 3, [values])
    # BIT_PACKED levels of a flat column.
    file.add([element("flat", INT64, OPTIONAL)], ["flat"], INT64, 3, [page(packed([1, 0, 1], 1) + struct.pack("<2q", -5, 1 << 40), 3, BIT_PACKED)])
    # A decimal as a byte array of any length; the older annotation.
    money = [(-12345).to_bytes(3, "big", signed=True), b"\0", (10**30).to_bytes(13, "big", signed=True)]
    file.add([element("money", BINARY, REQUIRED, None, 5, fields={7: 2, 8: 31})], ["money"], BINARY, 3, [page(strings(money), 3)])
    # Text that is no UTF-8 stays bytes.
    file.add([element("broken", BINARY, REQUIRED, None, 0)], ["broken"], BINARY, 3, [page(strings([b"fine", b"\xff\xfe", b"\xc3"]), 3)])
    # A time of the older annotation, and a logical type yet to be invented.
    file.add([element("time", INT32, REQUIRED, None, 7)], ["time"], INT32, 3, [page(struct.pack("<3i", 0, 1, 86399999), 3)])
    file.add([element("later", INT32, REQUIRED, fields={10: {99: {}}})], ["later"], INT32, 3, [page(struct.pack("<3i", 7, 8, 9), 3)])
    file.write(path)
    return {
        "label": ["t:cat", None, "t:dog"], "flat": ["i:-5", None, f"i:{1 << 40}"],
        "money": ["t:-123.45", "t:0.00", "t:1" + "0" * 28 + ".00"], "broken": ["t:fine", "x:fffe", "x:c3"],
        "time": ["t:00:00:00.000", "t:00:00:00.001", "t:23:59:59.999"], "later": ["i:7", "i:8", "i:9"],
    }


def one_page(path, body=None, **chunk):
    """One required INT32 column of three rows, with whatever is to be wrong."""
    crc = chunk.pop("crc", None)
    file = File(3)
    file.add([element("n", INT32, REQUIRED)], ["n"], INT32, 3, [page(body or struct.pack("<3i", 1, 2, 3), 3, crc=crc)], **chunk)
    file.write(path)
