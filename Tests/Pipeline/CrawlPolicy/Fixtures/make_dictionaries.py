"""Writes dictionaries.json: random structured fields and what http_sfv reads in them.

Usage: python make_dictionaries.py > dictionaries.json   (http_sfv 0.9.9, https://pypi.org/project/http-sfv/)

Each case is a field and its members as [key, token or null], or null for a malformed field. Byte
sequences are valid base64 or have a foreign character; dates are in the range of Python's calendar.
Left out, as http_sfv departs from RFC 9651 there: "1." (4.2.4 refuses it), and the empty field, which
is an empty dictionary (4.2).
"""

import json
import random

import http_sfv

random.seed(9651)
KEYS = ["train-ai", "search", "ai", "a", "*b", "x1_.-*", "Train-ai", "1a", ""]
ITEMS = ["y", "n", "n", "y", "*t", "a/b:c", "1", "-17", "1.5", "1.2345", "999999999999999",
         "1234567890123456", "1234567890123.1", '"n"', '"a\\"b"', '"a\\b"', '"open', ":aGk=:", ":a b:",
         "?0", "?1", "?2", "@1659578233", "@1.5", '%"f%c3%bc"', '%"f%C3"', '%"%ff"', "()", "(n y)",
         '( a  "b";c )', "(a", "(a,b)", "é", ""]
PARAMETERS = [";x", ";x=1", "; y=n", ";exceptions=cc-cr", ";X", ";", ";z=(a)", " ;x"]


def member():
    text = random.choice(KEYS if random.random() < 0.1 else KEYS[:6])
    if random.random() < 0.85:
        text += "=" + random.choice(ITEMS if random.random() < 0.4 else ITEMS[:4])
    while random.random() < 0.2:
        text += random.choice(PARAMETERS)
    return text


def field():
    separators = [",", ", ", " , ", ",\t", ", ", ", ", " ", ",,", ";"]
    weights = [9, 9, 3, 3, 9, 9, 1, 1, 1]
    text = member()
    for _ in range(random.randint(0, 3)):
        text += random.choices(separators, weights)[0] + member()
    if random.random() < 0.1:
        text = random.choice([" ", "\t", "  "]) + text
    if random.random() < 0.1:
        text += random.choice([" ", "\t", ",", ", "])
    return text


def read(text):
    members = http_sfv.Dictionary()
    try:
        members.parse(text.encode())
    except (ValueError, UnicodeDecodeError):
        return None
    tokens = []
    for key, item in members.items():
        value = getattr(item, "value", None)
        tokens.append([key, str(value) if isinstance(value, http_sfv.Token) else None])
    return tokens


cases = []
for _ in range(2500):
    text = field()
    if not text.strip():
        continue
    cases.append([text, read(text)])
print(json.dumps(cases, ensure_ascii=True, separators=(",", ":")).replace("],[\"", "],\n[\""))
