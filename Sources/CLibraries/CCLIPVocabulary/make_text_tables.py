"""Writes text_tables.txt.gz: how CLIP's reference tokenizer sees characters.

Needs Python 3.11, ftfy 6.3.1 and regex (PyPI). The tables are frozen: a newer Unicode would change ids.
Lines of words; the first word of each tells what it holds, numbers are hexadecimal:

scalar FIRST LAST VALUE     the characters that have one set of properties: bits 0 to 2 the kind of piece
                            (0 other, 1 letter, 2 digit, 3 space), then the bits of FLAGS from 4 on, and
                            from bit 20 on the column of `badness`. What is not named has the value 0.
lower SCALAR SCALARS…       Python's `str.lower` of one character, where it changes it
encoding NAME SCALARS…      what the bytes 80 to FF stand for, in the order in which ftfy tries encodings;
                            a name with `sloppy` writes U+FFFD as byte 1A
badness ROW STATES…         the automaton of ftfy's `badness`: the next state for each column of
                            characters, from the state ROW; the last state is the one that has found
                            something. It begins in state 0, and before anything else reads column 0
                            or not: state 1 is the one in the middle of a text.
capital NAME SCALARS…       the names of entities that ftfy adds
"""

import gzip
import html
import pathlib
import re
import re._parser as parser
import unicodedata

import ftfy.bad_codecs
import ftfy.badness
import ftfy.chardata as chardata
import regex

here = pathlib.Path(__file__).parent
everything = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
FLAGS = """space decimal caseIgnorable cased lowered composable unassigned
utf8First2 utf8First3 utf8First4 utf8Continuation utf8ContinuationStrict""".split()


# --- Sets of characters as Python's regular expressions describe them.


def members(item):
    """The test of one character for a part of a parsed pattern."""
    kind, value = item
    if kind is parser.LITERAL:
        return lambda c: c == value
    if kind is parser.NOT_LITERAL:
        return lambda c: c != value
    if kind is parser.ANY:
        return lambda c: c != 0x0A
    if kind is parser.RANGE:
        return lambda c: value[0] <= c <= value[1]
    if kind is parser.CATEGORY:
        test = re.compile({parser.CATEGORY_SPACE: r"\s", parser.CATEGORY_WORD: r"\w"}[value])
        return lambda c: bool(test.match(chr(c)))
    assert kind is parser.IN, kind
    negated = value[0][0] is parser.NEGATE
    parts = [members(part) for part in (value[1:] if negated else value)]
    return lambda c: negated != any(part(c) for part in parts)


def sequences(pattern):
    """The alternatives of a pattern: lists of steps (a test, or "start" for the anchor)."""
    results = [[]]
    for item in pattern:
        kind, value = item
        if kind is parser.BRANCH:
            options = [s for branch in value[1] for s in sequences(branch)]
        elif kind is parser.SUBPATTERN:
            options = sequences(value[3])
        elif kind is parser.MAX_REPEAT:
            least, most, inner = value
            options = [sum(([s] if isinstance(s, str) else s for s in [one] * n), [])
                       for n in range(least, most + 1) for one in sequences(inner)]
        elif kind is parser.AT:
            assert value is parser.AT_BEGINNING
            options = [["start"]]
        else:
            options = [[item]]
        results = [a + b for a in results for b in options]
    return results


# --- The automaton of badness.

alternatives = sequences(parser.parse(ftfy.badness.BADNESS_RE.pattern, ftfy.badness.BADNESS_RE.flags))
items = list({repr(s): s for a in alternatives for s in a if s != "start"}.items())
tests = [members(item) for _, item in items]
number = {name: index for index, (name, _) in enumerate(items)}
named = set()  # characters that some set names
for name in number:
    named |= {int(n) for n in re.findall(r"LITERAL, (\d+)", name)}
    for first, last in re.findall(r"RANGE, \((\d+), (\d+)\)", name):
        named |= set(range(int(first), int(last) + 1))
named.add(0x0A)
space, word = re.compile(r"\s"), re.compile(r"\w")
general = {}  # what no set names is told apart by \s and \w alone
columns, column_of = {}, {}
for c in everything:
    if c not in named:
        key = (bool(space.match(chr(c))), bool(word.match(chr(c))))
        if key not in general:
            general[key] = tuple(test(c) for test in tests)
        signature = general[key]
    else:
        signature = tuple(test(c) for test in tests)
    if c == 0:
        columns[signature] = 0
    column_of[c] = columns.setdefault(signature, len(columns))

floating = [[number[repr(s)] for s in a] for a in alternatives if a[0] != "start"]
anchored = [[number[repr(s)] for s in a[1:]] for a in alternatives if a[0] == "start"]
assert not any("start" in a[1:] for a in alternatives)
paths = floating + anchored
begin = frozenset((i, 0) for i in range(len(paths)))
middle = frozenset((i, 0) for i in range(len(floating)))
states, rows, queue = {begin: 0, middle: 1}, {}, [begin, middle]
FOUND = "found"
while queue:
    state = queue.pop(0)
    row = []
    for signature in columns:
        following = set(middle)
        found = False
        for path, place in state:
            if signature[paths[path][place]]:
                found = found or place + 1 == len(paths[path])
                following.add((path, place + 1))
        if found:
            row.append(FOUND)
            continue
        following = frozenset(following)
        if following not in states:
            states[following] = len(states)
            queue.append(following)
        row.append(states[following])
    rows[states[state]] = row
found = len(states)
assert found < 1 << 16 and len(columns) < 256

# --- The properties of characters.

detector = parser.parse(chardata.UTF8_DETECTOR_RE.pattern, chardata.UTF8_DETECTOR_RE.flags)
classes = {
    "utf8First2": "utf8_first_of_2",
    "utf8First3": "utf8_first_of_3",
    "utf8First4": "utf8_first_of_4",
    "utf8Continuation": "utf8_continuation",
    "utf8ContinuationStrict": "utf8_continuation_strict",
}
clues = {flag: re.compile(f"[{chardata.UTF8_CLUES[name]}]") for flag, name in classes.items()}
kinds = [(1, regex.compile(r"[\p{L}]+", regex.I)), (2, regex.compile(r"[\p{N}]", regex.I)),
         (0, regex.compile(r"[^\s\p{L}\p{N}]+", regex.I))]


def composable(c):
    """Whether normalisation form C may touch the character or what stands beside it."""
    char = chr(c)
    return bool(unicodedata.combining(char)) or unicodedata.normalize("NFC", char) != char or c in second


# The characters that a composition may take as its second: they, and marks, make a text worth a look.
second = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
for c in everything:
    parts = unicodedata.decomposition(chr(c)).split()
    if len(parts) == 2 and not parts[0].startswith("<"):
        second.add(int(parts[1], 16))


def value(c):
    char = chr(c)
    # Nothing that the splitter's pattern passes over is a piece: like a space.
    kind = next((k for k, test in kinds if test.fullmatch(char)), 3)
    ignorable_or_cased = ("A" + char + "Σ").lower()[-1] == "ς"
    cased_alone = (char + "Σ").lower()[-1] == "ς"
    flags = {
        "space": char.isspace(),
        "decimal": char.isdecimal(),
        "caseIgnorable": ignorable_or_cased and not cased_alone,
        "cased": cased_alone,
        "lowered": char.lower() != char,
        "composable": composable(c),
        "unassigned": unicodedata.category(char) == "Cn",
        **{flag: bool(test.match(char)) for flag, test in clues.items()},
    }
    bits = sum(1 << (4 + i) for i, flag in enumerate(FLAGS) if flags[flag])
    return kind | bits | column_of[c] << 20


lines = []
run = None
for c in everything:
    v = value(c)
    if run and run[2] == v and run[1] == c - 1:
        run[1] = c
    else:
        if run and run[2]:
            lines.append("scalar %X %X %X" % tuple(run))
        run = [c, c, v]
lines.append("scalar %X %X %X" % tuple(run))


def scalars(text):
    return " ".join(f"{ord(c):X}" for c in text)


lines += [f"lower {c:X} {scalars(chr(c).lower())}" for c in everything if chr(c).lower() != chr(c)]
for name in chardata.CHARMAP_ENCODINGS:
    text = bytes(range(0x80, 0x100)).decode(name)
    assert len(set(text)) == 128 and min(text) >= "\x80"
    assert bytes(range(0x80)).decode(name).replace("\ufffd", "\x1a") == "".join(map(chr, range(128)))
    assert ("\ufffd" == b"\x1a".decode(name)) == name.startswith("sloppy")
    lines.append(f"encoding {name} {scalars(text)}")
lines += ["badness %X %s" % (r, " ".join("%X" % (found if s == FOUND else s) for s in rows[r]))
          for r in sorted(rows)]
lines += [f"capital {name[1:-1]} {scalars(text)}" for name, text in chardata.HTML_ENTITIES.items()
          if name[1:] not in html.entities.html5]

text = ("\n".join(lines) + "\n").encode()
(here / "text_tables.txt.gz").write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
print(len(lines), "lines,", len(states), "states,", len(columns), "columns,", len(text), "bytes")
