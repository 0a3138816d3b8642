"""Writes merges.txt.gz and entities.txt.gz. Needs Python 3 and open_clip (PyPI: open_clip_torch).

merges.txt     header and the 48,894 merges that CLIP uses of bpe_simple_vocab_16e6.txt
entities.txt   the named character references of HTML: name, then code points in hexadecimal;
               a name that also counts without its semicolon has a star before it
"""

import gzip
import html.entities
import importlib.util
import pathlib

here = pathlib.Path(__file__).parent
package = pathlib.Path(importlib.util.find_spec("open_clip").origin).parent


def write(name, lines):
    # No name and no time in the gzip header: the same input gives the same bytes.
    text = ("\n".join(lines) + "\n").encode()
    (here / name).write_bytes(gzip.compress(text, compresslevel=9, mtime=0))


merges = gzip.open(package / "bpe_simple_vocab_16e6.txt.gz").read().decode().split("\n")
write("merges.txt.gz", merges[: 49152 - 256 - 2 + 1])

table = html.entities.html5
lines = []
for name in sorted(n for n in table if n.endswith(";")):
    bare = name[:-1]
    star = "*" if bare in table else ""
    assert not star or table[bare] == table[name]
    lines.append(star + bare + " " + " ".join(f"{ord(c):X}" for c in table[name]))
assert all(n.endswith(";") or n + ";" in table for n in table)
write("entities.txt.gz", lines)
