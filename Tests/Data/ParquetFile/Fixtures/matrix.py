"""Tables of all types that pyarrow writes to Parquet, and the options to write them with.

Each value has a spelling that the Swift tests give theirs too: `i:` an integer, `f:` and `d:` the bits
of a float or double in hex (or `nan`), `b:` a boolean, `t:` text, `x:` bytes in hex; null is null and
a list is a list.
"""

import decimal
import random
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

decimal.getcontext().prec = 100


def iso(value, unit):
    """ISO 8601 text: years outside of 0 ... 9999 with a sign and at least four digits."""
    text = str(np.datetime64(value, unit))
    day, _, clock = text.partition("T")
    year, month, day = day.rsplit("-", 2)
    year = int(year)
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{month}-{day}" + ("T" + clock if clock else "")


def clock(value, per_second, digits):
    seconds, fraction = divmod(value, per_second)
    return "%02d:%02d:%02d.%0*d" % (seconds // 3600, seconds // 60 % 60, seconds % 60, digits, fraction)


def spell_float(value):
    return "f:nan" if value != value else "f:" + struct.pack(">f", value).hex()


def spell_double(value):
    return "d:nan" if value != value else "d:" + struct.pack(">d", value).hex()


def spell_int(value):
    return f"i:{value}" if value < 1 << 63 else f"t:{value}"


class Kind:
    """A type: how to draw a raw value, make an arrow array of raw values, and spell one."""

    def __init__(self, name, type, draw, spell, raw=None, delta=None, split=False):
        self.name, self.type, self.draw, self.spell = name, type, draw, spell
        self.raw, self.delta, self.split = raw, delta, split

    def array(self, values):
        if self.raw is None:
            return pa.array(values, self.type)
        return pa.array(values, self.raw).cast(self.type)


def integer(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def draw(rng):
        return rng.choice([low, high, 0, rng.randint(low, high), max(low, min(high, rng.randint(-40, 40)))])

    return draw


def words(rng):
    letters = ["a", "kitten", " ", "é", "日本", "🐈", "the ", "\u0000", "\"", "x" * 40]
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, 6)))


def url(rng):
    return "https://example.org/pictures/%03d/%d.jpg" % (rng.randint(0, 20), rng.randint(0, 10**6))


def number(rng):
    return rng.choice([0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), rng.uniform(-1e6, 1e6)])


def single(rng):
    return struct.unpack("<f", struct.pack("<f", number(rng)))[0]


def half(rng):
    return float(np.float16(rng.choice([0.0, -0.0, 0.5, 65504.0, 6e-8, 3e-6, float("inf"), rng.uniform(-9, 9)])))


def money(precision, scale):
    def draw(rng):
        digits = rng.randint(1, precision)
        unscaled = rng.choice([0, 1, -1, 10**precision - 1, 1 - 10**precision, rng.randint(-(10**digits) + 1, 10**digits - 1)])
        return decimal.Decimal(unscaled).scaleb(-scale)

    return draw


def blob(size=None):
    return lambda rng: rng.randbytes(rng.choice([0, 1, 5, 70]) if size is None else size)


def stamp(unit, per_second, zone):
    low, high = (-(1 << 62), 1 << 62) if unit == "ns" else (-(10**11) * per_second, 10**11 * per_second)
    low, high = max(low, -(1 << 62)), min(high, 1 << 62)
    return Kind(
        f"stamp_{unit}{'_utc' if zone else ''}", pa.timestamp(unit, tz="UTC" if zone else None),
        lambda rng: rng.choice([0, -1, 1, rng.randint(low, high), rng.randint(0, 2 * 10**9 * per_second)]),
        lambda v: "t:" + iso(v, unit) + ("Z" if zone else ""), raw=pa.int64(), delta="DELTA_BINARY_PACKED")


D = "DELTA_BINARY_PACKED"
KINDS = [
    Kind("bool", pa.bool_(), lambda rng: rng.random() < 0.3, lambda v: f"b:{str(v).lower()}", split="RLE"),
    *[Kind(f"int{b}", getattr(pa, f"int{b}")(), integer(b, True), spell_int, delta=D, split=b >= 32 and "BYTE_STREAM_SPLIT") for b in (8, 16, 32, 64)],
    *[Kind(f"uint{b}", getattr(pa, f"uint{b}")(), integer(b, False), spell_int, delta=D) for b in (8, 16, 32, 64)],
    Kind("counter", pa.int64(), lambda rng: rng.randint(10**12, 10**12 + 10**4), spell_int, delta=D),
    Kind("half", pa.float16(), half, spell_float, split="BYTE_STREAM_SPLIT"),
    Kind("float", pa.float32(), single, spell_float, split="BYTE_STREAM_SPLIT"),
    Kind("double", pa.float64(), number, spell_double, split="BYTE_STREAM_SPLIT"),
    Kind("words", pa.string(), words, lambda v: "t:" + v, delta="DELTA_LENGTH_BYTE_ARRAY"),
    Kind("url", pa.string(), url, lambda v: "t:" + v, delta="DELTA_BYTE_ARRAY"),
    Kind("label", pa.string(), lambda rng: rng.choice(["cat", "dog", "", "日本"]), lambda v: "t:" + v, delta="DELTA_BYTE_ARRAY"),
    Kind("constant", pa.string(), lambda rng: "always", lambda v: "t:" + v),
    Kind("large", pa.large_string(), words, lambda v: "t:" + v),
    Kind("blob", pa.binary(), blob(), lambda v: "x:" + v.hex(), delta="DELTA_LENGTH_BYTE_ARRAY"),
    Kind("fixed", pa.binary(5), blob(5), lambda v: "x:" + v.hex(), delta="DELTA_BYTE_ARRAY", split="BYTE_STREAM_SPLIT"),
    Kind("date", pa.date32(), lambda rng: rng.choice([0, -1, 11016, 19782, rng.randint(-10**6, 10**7)]), lambda v: "t:" + iso(v, "D"), raw=pa.int32(), delta=D),
    Kind("time_ms", pa.time32("ms"), lambda rng: rng.randint(0, 86_399_999), lambda v: "t:" + clock(v, 1000, 3), raw=pa.int32()),
    Kind("time_us", pa.time64("us"), lambda rng: rng.randint(0, 86_399_999_999), lambda v: "t:" + clock(v, 10**6, 6), raw=pa.int64()),
    Kind("time_ns", pa.time64("ns"), lambda rng: rng.randint(0, 86_399_999_999_999), lambda v: "t:" + clock(v, 10**9, 9), raw=pa.int64()),
    stamp("ms", 1000, True), stamp("us", 10**6, False), stamp("ns", 10**9, True),
    *[Kind(f"decimal_{p}_{s}", pa.decimal256(p, s) if p > 38 else pa.decimal128(p, s), money(p, s), lambda v: f"t:{v:f}", split="BYTE_STREAM_SPLIT" if p > 18 else None) for p, s in ((7, 2), (9, 0), (18, 18), (38, 10), (76, 30))],
]
LISTED = ["bool", "int32", "int64", "float", "double", "words", "label", "fixed", "date", "decimal_38_10"]


def extensions():
    """Types that are only extensions in pyarrow."""
    identity = lambda rng: rng.randbytes(16)
    spell = lambda v: "t:%s-%s-%s-%s-%s" % (v.hex()[:8], v.hex()[8:12], v.hex()[12:16], v.hex()[16:20], v.hex()[20:])
    return [
        Kind("identity", pa.uuid(), identity, spell, raw=pa.binary(16)),
        Kind("json", pa.json_(), lambda rng: '{"a": %d}' % rng.randint(0, 5), lambda v: "t:" + v, raw=pa.string()),
    ]


def make_table(rng, rows, nulls, skip=()):
    """A table of every kind, flat and in lists, and the spelling of its values by column.

    `nulls`: "none" (required columns), "some", "runs" or "all".
    """
    fields, arrays, spelled = [], [], {}

    def is_null(row):
        return {"none": False, "some": rng.random() < 0.2, "runs": row // 50 % 2 == 1, "all": True}[nulls]

    for kind in KINDS + extensions():
        if kind.name in skip:
            continue
        pool = [kind.draw(rng) for _ in range(rng.choice([3, 40, rows]))]
        values = [None if is_null(row) else rng.choice(pool) for row in range(rows)]
        array = kind.array(values) if kind.raw is None or not isinstance(kind.type, pa.BaseExtensionType) else pa.ExtensionArray.from_storage(kind.type, pa.array(values, kind.type.storage_type))
        fields.append(pa.field(kind.name, kind.type, nullable=nulls != "none"))
        arrays.append(array)
        spelled[kind.name] = [None if v is None else kind.spell(v) for v in values]
    for kind in KINDS:
        if kind.name not in LISTED:
            continue
        name = "list_" + kind.name
        pool = [kind.draw(rng) for _ in range(20)]
        lists = [
            None if is_null(row)
            else [None if nulls == "some" and rng.random() < 0.2 else rng.choice(pool) for _ in range(rng.choice([0, 1, 2, 5]))]
            for row in range(rows)
        ]
        offsets, flat = [0], []
        for item in lists:
            flat += item or []
            offsets.append(len(flat))
        element = pa.field("element", kind.type, nullable=nulls != "none")
        array = pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), kind.array(flat), type=pa.list_(element),
            mask=pa.array([item is None for item in lists]) if nulls != "none" else None)
        fields.append(pa.field(name, pa.list_(element), nullable=nulls != "none"))
        arrays.append(array)
        spelled[name] = [None if item is None else [None if v is None else kind.spell(v) for v in item] for item in lists]
    return pa.table(arrays, schema=pa.schema(fields)), spelled


def write(table, path, encoding="dictionary", codec="none", **options):
    """Writes a table; `encoding` is "plain", "dictionary", "delta" or "split", where a type has it."""
    if encoding != "dictionary":
        chosen = {}
        for kind in KINDS:
            name = {"plain": "PLAIN", "delta": kind.delta or "PLAIN", "split": kind.split or "PLAIN"}[encoding]
            for field in table.schema:
                if field.name == kind.name:
                    chosen[field.name] = name
                if field.name == "list_" + kind.name:
                    chosen[field.name + ".list.element"] = name
        options.update(use_dictionary=False, column_encoding=chosen)
    pq.write_table(table, path, compression=codec, **options)
