"""What is wrong with a Parquet file, by pyarrow and by a Thrift reader that shares no code with Pairloom.

`problems(path, expected)`: expected has `columns` (spellings as in matrix.py, by name), `metadata`,
`groups` (rows of each row group), `codec` and `optional` (by name).
"""

import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import matrix


class Thrift:
    """The compact protocol, as dictionaries by field number."""

    def __init__(self, data, position=0):
        self.data, self.position = data, position

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            self.position += 1
            return struct.unpack_from("b", self.data, self.position - 1)[0]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 8:
            size = self.varint()
            self.position += size
            return self.data[self.position - size : self.position]
        if kind in (9, 10):
            head = self.data[self.position]
            self.position += 1
            size = head >> 4 if head >> 4 < 15 else self.varint()
            if head & 15 in (1, 2):
                self.position += size
                return [byte == 1 for byte in self.data[self.position - size : self.position]]
            return [self.value(head & 15) for _ in range(size)]
        assert kind == 12, kind
        return self.struct()

    def struct(self):
        fields, number = {}, 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            fields[number] = self.value(head & 15)
        return fields

    def byte(self):
        self.position += 1
        return self.data[self.position - 1]


def spell(value, type):
    if value is None:
        return None
    if pa.types.is_list(type):
        return [spell(item, type.value_type) for item in value]
    if isinstance(type, pa.BaseExtensionType):
        type = type.storage_type
        if pa.types.is_fixed_size_binary(type):
            return f"t:{value}"
    if pa.types.is_boolean(type):
        return f"b:{str(value).lower()}"
    if pa.types.is_integer(type):
        return matrix.spell_int(value)
    if pa.types.is_float32(type):
        return matrix.spell_float(value)
    if pa.types.is_float64(type):
        return matrix.spell_double(value)
    if pa.types.is_string(type):
        return "t:" + value
    if pa.types.is_binary(type) or pa.types.is_fixed_size_binary(type):
        return "x:" + value.hex()
    raise ValueError(f"no spelling for {type}")


def stored_key(raw, type):
    """A bound as the footer stores it, so that it can be compared."""
    if pa.types.is_list(type):
        return stored_key(raw, type.value_type)
    if isinstance(type, pa.BaseExtensionType):
        return bytes(raw)
    if pa.types.is_boolean(type):
        return raw[0]
    if pa.types.is_integer(type):
        signed = not pa.types.is_unsigned_integer(type)
        return int.from_bytes(raw, "little", signed=signed)
    if pa.types.is_float32(type):
        return struct.unpack("<f", raw)[0]
    if pa.types.is_float64(type):
        return struct.unpack("<d", raw)[0]
    return bytes(raw)


def key(value, type):
    """A value in the order of its column."""
    if isinstance(type, pa.BaseExtensionType):
        return value.bytes if hasattr(value, "bytes") else value if isinstance(value, bytes) else value.encode()
    return value.encode() if isinstance(value, str) else value


def leaves(values, type):
    if pa.types.is_list(type):
        flat = [item for row in values if row for item in row]
        return flat, type.value_type
    return list(values), type


def bounds(values, type):
    known = [key(v, type) for v in values if v is not None and v == v]
    return (min(known), max(known)) if known else None


def problems(path, expected):
    file = pq.ParquetFile(path, page_checksum_verification=True)
    table = file.read()
    table.validate(full=True)
    meta, data = file.metadata, open(path, "rb").read()
    if not data.startswith(b"PAR1") or not data.endswith(b"PAR1"):
        yield "magic numbers"
    size = struct.unpack_from("<I", data, len(data) - 8)[0]
    footer = Thrift(data, len(data) - 8 - size).struct()
    if not meta.created_by.startswith("pairloom version "):
        yield f"created by {meta.created_by}"
    found = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    if found != expected["metadata"]:
        yield f"metadata {found}"
    if table.column_names != list(expected["names"]):
        yield f"columns {table.column_names}"
    if len(footer[7]) != meta.num_columns:
        yield "column orders"
    rows = [meta.row_group(g).num_rows for g in range(meta.num_row_groups)]
    if rows != expected["groups"]:
        yield f"row groups {rows}"
    for field in table.schema:
        if field.nullable != expected["optional"][field.name]:
            yield f"{field.name}: nullable {field.nullable}"
        column = table[field.name].to_pylist()
        spelled = [spell(v, field.type) for v in column]
        if spelled != expected["columns"][field.name]:
            row = next(i for i, (a, b) in enumerate(zip(spelled, expected["columns"][field.name])) if a != b)
            yield f"{field.name}, row {row}: {spelled[row]}, expected {expected['columns'][field.name][row]}"
    first = 0
    for group in range(meta.num_row_groups):
        for index, field in enumerate(table.schema):
            chunk = meta.row_group(group).column(index)
            place = f"{field.name}, row group {group}"
            if chunk.compression != expected["codec"]:
                yield f"{place}: {chunk.compression}"
            part = table[field.name].slice(first, rows[group]).to_pylist()
            yield from (f"{place}: {p}" for p in chunk_problems(data, footer, meta, group, index, part, field.type))
        first += rows[group]


def chunk_problems(data, footer, meta, group, index, rows, type):
    chunk = meta.row_group(group).column(index)
    fields = footer[4][group][1][index]
    values, leaf = leaves(rows, type)
    levels = sum(max(1, len(r or [])) for r in rows) if pa.types.is_list(type) else len(rows)
    nulls = levels - sum(v is not None for v in values)
    statistics = chunk.statistics
    if chunk.num_values != levels:
        yield f"{chunk.num_values} values, not {levels}"
    if statistics.null_count != nulls:
        yield f"{statistics.null_count} nulls, not {nulls}"
    limits = bounds(values, leaf)
    long = limits and isinstance(limits[0], bytes) and max(map(len, limits)) > 1024
    if limits and not long:
        stored = tuple(stored_key(fields[3][12][n], leaf) for n in (6, 5))
        if stored != limits:
            yield f"statistics {stored}, not {limits}"
        if statistics.has_min_max is False:
            yield "pyarrow sees no bounds"
    elif 5 in fields[3][12]:
        yield "statistics without values, or longer than they may be"
    sizes = fields[3][7]
    stored = chunk.total_compressed_size
    if sizes != stored or chunk.total_uncompressed_size < 1:
        yield "sizes"
    # The page index: walk the pages and compare each with its entry.
    offsets = Thrift(data, fields[4]).struct()[1]
    if not chunk.has_offset_index or not offsets:
        yield "no offset index"
    position = chunk.dictionary_page_offset or chunk.data_page_offset
    end = position + chunk.total_compressed_size
    pages, row = [], 0
    while position < end:
        header = Thrift(data, position)
        page = header.struct()
        if 4 not in page:
            yield "a page without a checksum"
        if page[1] == 0:
            pages.append((position, header.position - position + page[3], page[5][1]))
        position = header.position + page[3]
    if position != end:
        yield "the pages are not as long as the chunk"
    if [(p[0], p[1]) for p in pages] != [(o[1], o[2]) for o in offsets]:
        yield f"offset index {offsets} of pages {pages}"
    starts = [o[3] for o in offsets] + [len(rows)]
    column = Thrift(data, fields[6]).struct() if 6 in fields else None
    if column is None:
        floats = pa.types.is_floating(leaf)
        if not floats:
            yield "no column index"
        return
    if not chunk.has_column_index:
        yield "pyarrow sees no column index"
    previous = []
    for number in range(len(pages)):
        part, _ = leaves(rows[starts[number] : starts[number + 1]], type)
        known = bounds(part, leaf)
        page_rows = rows[starts[number] : starts[number + 1]]
        page_levels = sum(max(1, len(r or [])) for r in page_rows) if pa.types.is_list(type) else len(page_rows)
        if page_levels != pages[number][2]:
            yield f"page {number} begins at another row than its index says"
        if page_levels > 20000 and not pa.types.is_list(type):
            yield f"page {number} has {page_levels} rows"
        if column[5][number] != page_levels - sum(v is not None for v in part):
            yield f"page {number}: null count"
        if column[1][number] != all(v is None for v in part):
            yield f"page {number}: null page"
        if not known:
            continue
        low, high = (stored_key(column[n][number], leaf) for n in (2, 3))
        if isinstance(low, bytes):
            whole = all(len(b) <= 64 for b in known)
            if low > known[0] or high < known[1] or not known[0].startswith(low):
                yield f"page {number}: {low}, {high} do not bound {known}"
            if whole and (low, high) != known:
                yield f"page {number}: {low}, {high} are cut without need"
            if len(low) > 64 or (len(high) > 64 and high != known[1]):
                yield f"page {number}: long bounds"
            if pa.types.is_string(leaf):
                low.decode(), high.decode()
        elif (low, high) != known:
            yield f"page {number}: {low}, {high}, not {known}"
        previous.append((low, high))
    ascending = all(a[0] <= b[0] and a[1] <= b[1] for a, b in zip(previous, previous[1:]))
    descending = all(a[0] >= b[0] and a[1] >= b[1] for a, b in zip(previous, previous[1:]))
    if column[4] == 1 and not ascending or column[4] == 2 and not descending:
        yield f"boundary order {column[4]}"
    if column[4] == 0 and (ascending or descending) and all(len(x) <= 64 for p in previous for x in p if isinstance(x, bytes)):
        yield "an order that is not said"
