"""Writes robots.json: random robots.txt files, paths, and protego's verdicts on them.

Usage: python make_robots.py > robots.json      (protego 0.7.0, https://pypi.org/project/Protego/)

The generator keeps away from where protego and RFC 9309 part:
- protego matches a User-agent line that is any prefix or part of our name; the RFC wants the whole
  product token. Only whole names are written here.
- A Crawl-delay line between User-agent lines ends the group in protego; by RFC 9309 section 2.2.4
  other records never do. It is written behind rules only, and once per file, as of several protego
  takes the last and we the longest.
- protego keeps "%2F" apart from "/" in a query too; the RFC's example has them equal there. "%2F" is
  written before any "?" only.
- protego counts the octets of reserved characters in encoded form (":" is 3), we in plain form; the
  RFC can be read either way. Of the reserved only "/", "?", "=", "*" and "$" are written.
- A pattern's last "$" is in protego also tried as a dollar sign of the path; in the RFC it is the
  end alone. No path has a dollar sign.
- protego encodes "?", which a percent sign without digits in a pattern then matches a part of. Such
  signs are written in paths only.
- "http://..." as a pattern matches in protego where the path contains it; by the RFC never.
- protego takes "**" for three octets of priority as we do, and matches it as "*".
Where a file has one group, neither wildcards, percent signs, empty lines (which end a group there)
nor "//" (a host there), and rules sorted by falling length with Allow first, urllib.robotparser of
Python 3.11 (the first match wins) must agree too; that is asserted.
"""

import json
import random
import re
import urllib.robotparser

from protego import Protego

AGENT = "pairloom"
random.seed(20260824)
PIECES = ["a", "b", "ab", "ba", "/", "/", "/a/", ".jpg", ".", "?", "=", "%61", "%7e", "~", "%41",
          "%20", "%c3%a9", "\u00e9", "\u30c4", "%E3%83%84", "%2e", "-", "_", "%25"]
IN_PATTERNS = ["*", "*", "*a", "$", "**", "*/", "%2A", "%24"]
IN_PATHS = ["*", "%zz", "aab", "bab.jpg"]


def text(extra, most):
    pieces = []
    for _ in range(random.randint(0, most)):
        piece = random.choice(PIECES + extra)
        if "?" not in pieces and random.random() < 0.03:
            piece = "%2F"
        pieces.append(piece)
    return "/" + "".join(pieces)


def pattern():
    made = text(IN_PATTERNS, 6)
    if random.random() < 0.1:
        made = "*" + made[1:]
    if random.random() < 0.1:
        made += "$"
    return made


def name(canonical):
    return random.choice([canonical, canonical.lower(), canonical.upper()])


def group(plain):
    agents = random.sample(["pairloom", "PairLoom", "otherbot", "*", "thirdbot"],
                           random.randint(1, 2))
    lines = [f"{name('User-agent')}{random.choice([':', ': ', ' : '])}{a}" for a in agents]
    rules = []
    for _ in range(random.randint(0, 8)):
        path = "/" + "".join(random.choice(["a", "b", "/", ".jpg"])
                             for _ in range(random.randint(0, 5))) if plain else pattern()
        if plain:
            path = re.sub("/+", "/", path)
        rules.append((random.choice(["Allow", "Disallow"]), path))
    if plain:
        rules.sort(key=lambda rule: (-len(rule[1]), rule[0]))
    for kind, path in rules:
        comment = random.choice(["", "", " # note", "#x"])
        lines.append(f"{name(kind)}:{random.choice(['', ' ', '  '])}{path}{comment}")
        if random.random() < 0.1 and not plain:
            lines.append(random.choice(["", "Sitemap: https://example.org/s.xml", "# c", "  "]))
    if not rules:
        lines.append("Disallow:")
    return lines


def case(number):
    plain = number % 4 == 0
    lines = []
    for _ in range(1 if plain else random.randint(1, 4)):
        lines += group(plain)
    if random.random() < 0.3:
        lines.append(f"Crawl-delay: {random.choice(['1', '2.5', '0.25', '10', 'x', '-1'])}")
    robots = random.choice(["\n", "\r\n", "\r"]).join(lines)
    paths = ["/"] + [text([] if plain else IN_PATHS, 6) for _ in range(24)]
    paths = [path for path in paths if not plain or "%" not in path and "//" not in path
             and path.isascii()]
    parser = Protego.parse(robots)
    verdicts = [parser.can_fetch("http://h.example" + path, AGENT) for path in paths]
    if plain:
        peer = urllib.robotparser.RobotFileParser()
        peer.parse(robots.splitlines())
        other = [peer.can_fetch(AGENT, "http://h.example" + path) for path in paths]
        assert other == verdicts, (robots, paths, other, verdicts)
    return {"robots": robots, "paths": paths, "verdicts": "".join("ny"[v] for v in verdicts),
            "delay": parser.crawl_delay(AGENT)}


print(json.dumps({"agent": AGENT, "cases": [case(n) for n in range(320)]}, indent=0))
