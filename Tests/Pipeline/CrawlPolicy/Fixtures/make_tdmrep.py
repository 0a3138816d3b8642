"""Writes tdmrep.json: mutated files of the TDM Reservation Protocol and what Python's json reads.

Usage: python make_tdmrep.py > tdmrep.json      (Python 3.11)

Each case is a file and its rules as [location, reservation, policy or null], or null for what is no
JSON array. A reservation may be a number or text, equal to 0 or 1; other rules are left out.
"""

import json
import random

random.seed(20240510)
SEEDS = [
    '[{"location": "/", "tdm-reservation": 1}]',
    '[ {"location": "/a/", "tdm-reservation": 1},\n {"location": "/b/*.jpg", "tdm-reservation": 0} ]',
    '[{"location":"/","tdm-reservation":1,"tdm-policy":"https://a.example/p.json"}]',
    '[{"location":"/\\u00fc\\"","tdm-reservation":"1"},{"location":"/","tdm-reservation":1.0}]',
    '[7, null, [{}], {"location": 3}, {"location":"/","tdm-reservation":1e0,"x":{"y":[true,false]}}]',
    '{"location":"/","tdm-reservation":1}', "[]", '[{"location":"/","location":"/x","tdm-reservation":1}]',
]
PIECES = list('{}[],:"0123-+.eE\\ \n\tntu/abf') + [
    "\\n", "\\ud83d\\ude00", "\u00fc", "null", '"location":', "[[", "]]", "1.", "01", "-0", "\x01"]


def mutated():
    text = random.choice(SEEDS)
    for _ in range(random.randint(0, 3)):
        at = random.randint(0, len(text))
        kind = random.random()
        if kind < 0.4:
            text = text[:at] + random.choice(PIECES) + text[at:]
        elif kind < 0.7:
            text = text[:at] + random.choice(PIECES) + text[at + 1:]
        else:
            text = text[:at] + text[at + 1:]
    return text


def read(text):
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, list):
        return None
    rules = []
    for rule in found:
        if not isinstance(rule, dict) or not isinstance(rule.get("location"), str):
            continue
        value = rule.get("tdm-reservation")
        if isinstance(value, bool) or value not in (0, 1, "0", "1"):
            continue
        policy = rule.get("tdm-policy")
        rules.append([rule["location"], int(value), policy if isinstance(policy, str) else None])
    return rules


cases = [[text, read(text)] for text in (mutated() for _ in range(3000))]
print(json.dumps(cases, separators=(",", ":")).replace("],[\"", "],\n[\""))
