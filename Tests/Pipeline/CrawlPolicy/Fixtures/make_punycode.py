"""Writes punycode.json: random labels and Python's codec's Punycode (RFC 3492).

Usage: python make_punycode.py > punycode.json      (Python 3.11)
"""

import json
import random

random.seed(3492)
RANGES = [(0x61, 0x7A), (0xDF, 0x17F), (0x3B1, 0x3C9), (0x4E00, 0x9FFF), (0x1F600, 0x1F64F),
          (0x80, 0x10FFFF)]


def character():
    while True:
        code = random.randint(*random.choice(RANGES))
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


labels = ["".join(character() for _ in range(random.randint(1, 40))) for _ in range(400)]
print(json.dumps([[label, label.encode("punycode").decode()] for label in labels],
                 separators=(",", ":")).replace("],", "],\n"))
