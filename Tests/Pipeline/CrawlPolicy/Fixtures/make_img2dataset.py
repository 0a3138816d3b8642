"""Writes img2dataset.json: random X-Robots-Tag lines and the verdict of img2dataset's own function.

Usage: python make_img2dataset.py > img2dataset.json      (img2dataset 1.47.0)

Each case is the agent's token, the directives looked for (null for the default), the lines, and
whether `is_disallowed` refuses. Token and directives are prepared as its Downloader prepares them.
"""

import contextlib
import json
import os
import random
from email.message import Message

with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
    from img2dataset.downloader import is_disallowed

random.seed(147)
DEFAULT = ["noai", "noimageai", "noindex", "noimageindex"]
WORDS = ["noai", "NoAI", "noimageai", "noindex", "noimageindex", "none", "all", "nofollow",
         "max-snippet:0", "max-image-preview: large", "unavailable_after: 25 Jun 2010 15:00:00 PST",
         "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT", "noaix", "", "no ai"]
AGENTS = ["pairloom", "Pairloom", "pairloom ", " pairloom", "googlebot", "*", "other"]


def line():
    text = random.choice([",", ", ", " , ", ", "]).join(
        random.choice(WORDS) for _ in range(random.randint(1, 4)))
    if random.random() < 0.4:
        text = random.choice(AGENTS) + random.choice([":", ": ", " : "]) + text
    return text


cases = []
for _ in range(1500):
    token = random.choice(["pairloom", "PairLoom", "other"])
    directives = random.choice([None, None, None, [], ["noai"], [" NoAI ", "none"]])
    lines = [line() for _ in range(random.randint(0, 3))]
    headers = Message()
    for text in lines:
        headers["X-Robots-Tag"] = text
    wanted = {word.strip().lower() for word in (DEFAULT if directives is None else directives)}
    refused = bool(wanted) and is_disallowed(headers, token.strip().lower(), wanted)
    cases.append([token, directives, lines, refused])
print(json.dumps(cases, separators=(",", ":")).replace("],[\"pa", "],\n[\"pa"))
