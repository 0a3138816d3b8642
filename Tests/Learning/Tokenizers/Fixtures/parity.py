"""Texts that are hard to tokenize, with the ids of open_clip's own tokenizer.

    parity.py nasties COUNT SEED OUT          made up here, from nothing
    parity.py captions FOLDER OUT             every caption of the shared data
    parity.py fuzz COUNT SEED FOLDER OUT      those captions, damaged (FOLDER - : nasties, damaged)
    parity.py scalars OUT                     every character of Unicode between two others
    parity.py fixture                         writes nasties.bin.gz beside this script

OUT: for each text the number of its bytes, the bytes (UTF-8), the number of its ids, the ids; numbers are
little-endian, 4 bytes. nasties.bin.gz: the same with a hash (FNV-1a, 32 bits, over the bytes of the
ids) instead of the ids and their number. Made with open_clip_torch 3.3.0, ftfy 6.3.1 and regex
2026.11.19 on Python 3.11. Same arguments, same bytes.
"""

import gzip
import html.entities
import json
import pathlib
import random
import struct
import sys

import ftfy.chardata
from open_clip.tokenizer import SimpleTokenizer

here = pathlib.Path(__file__).parent
clip = SimpleTokenizer()
codecs = ftfy.chardata.CHARMAP_ENCODINGS + ["cp1252", "cp1256", "cp437", "cp850"]
entities = sorted(html.entities.html5)

words = """a photo of the cat Cats DOG's it's WE'RE naïve CAFÉ Ångström Straße ẞ ΟΔΟΣ ΣΊΣΥΦΟΣ Σ ΑΣ. ΌΣΑ İstanbul
IĞDIR ŞIŞLI ı Łódź żółć Việt phở Москва Ёж їжак Київ ქართული العربية صورة עברית हिन्दी বাংলা ไทย 日本語 東京タワー ﾊﾝｶｸ ｶﾞ
Ｆｕｌｌ　Ｗ 中文 한국어 ﷺ ﬁne ﬂow ﬅ ŉ ʼn Ǆ ǆ Ĳ ª º µ ½ Ⅳ ⅷ ① ٣٤ १२ 𝟙𝟚 𝒥𝑜𝒽 ⓐ 🅰 😀 👍🏽 👩‍🎨 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 ❤️ ™ ® © € £5 “quoted” ‘q’
don’t don't x'ſt 'ſ 'S it'LL – — … • à á â la la mode às àquele Ã¡ Ã© Ã\u00a0 Ã  Â» â€™ â€œ â€� ï¿½ Ð¼ Ñ€ вЂ™ Рњ Ã‚Â©
√© ‚Äô ≈° œ œn Œ× ×² ØÙ Ø§Ù„ à¤ Î± Ï ā€ ГўВЂВ.a <start_of_text> <end_of_text> <END_OF_TEXT> <ſtart_of_text>
<end_of_text <|endoftext|> < <b> &lt; &amp; &amp;amp;lt; &eacute; &EACUTE; &eacute &copy &notit; &#8217; &#x2019; &#150; &#xD83D;&#xDE00;
&#0; &#1114112; &#38;amp; 1st 3.14 1,000 ... !!! --- ___ #tag @x http://x.y/?a=b&c=d \x1b[31m \x1b[٣m \x00 \x07 \x0b \x0c \x1c \x7f \x85
\x91q\x92 \x9d \xa0 \xad \u200b \u200d \u202e \u2028 \ufeff \ufffc \ufffd \ufffe \u0345 α\u0345β e\u0301\u0323 s\u0323\u0307
\u1100\u1161\u11a8 \u212b \u2126 K ſ \u0958 \u0344 \U0001e030 \u0897 \U00016d63 \U00011383\U000113c9 \ue000 \U000e0067""".split(" ")
words = [w for line in words for w in line.split("\n")]

# Characters whose bytes get lost on the way: A0 becomes a space, others are no characters elsewhere.
fragile = "à|à |às |àquele |Š|Π|Р|٠|†|\u2020 |　|ࠠ|😠|😠 |𠀠|😍|𐍈|\0|힠|\ud7ff|\U0010ffff|”|ť|И|“".split("|")


def scalar(r):
    kind = r.random()
    if kind < 0.3:
        c = r.randrange(0x80, 0x180)
    elif kind < 0.5:
        c = r.choice([r.randrange(0x180, 0x600), r.randrange(0x2000, 0x2800), r.randrange(0xFB00, 0x10000)])
    elif kind < 0.6:
        c = r.randrange(0x300, 0x370)
    elif kind < 0.8:
        c = ord(r.choice("ÂÃâÐÑØÙãïðÎÏ€™œ¦©°¡ \u00a0\x80\x81\x9d\ufffd\x1a?"))
    elif kind < 0.9:
        c = r.randrange(0x3400)
    else:
        c = r.randrange(0x110000)
    return "\ufffd" if 0xD800 <= c < 0xE000 else chr(c)


def cesu(text):
    """CESU-8 with Java's null."""
    pairs = text.encode("utf-16-le", "surrogatepass")
    units = struct.unpack(f"<{len(pairs) // 2}H", pairs)
    return "".join(map(chr, units)).encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")


def misread(r, text):
    """The text, or part of it, with its bytes read in a wrong encoding."""
    a, b = sorted((r.randrange(len(text) + 1), r.randrange(len(text) + 1)))
    if r.random() < 0.6:
        a, b = 0, len(text)
    part = text[a:b]
    for _ in range(r.randrange(4) if r.random() < 0.3 else 0):
        place = r.randrange(len(part) + 1)
        part = part[:place] + r.choice(fragile) + part[place:]
    data = cesu(part) if r.random() < 0.2 else part.encode("utf-8")
    damage = r.random()
    if damage < 0.15:
        data = data.replace(b"\xa0", b" ")
    elif damage < 0.3 and data:
        place = r.randrange(len(data))
        data = data[:place] + r.choice([b"\x1a", b"?", b" ", b"", b"\n"]) + data[place + 1 :]
        if r.random() < 0.2:
            data += b"\n"
    codec = r.choice(codecs)
    try:
        read = data.decode(codec, r.choice(["replace", "replace", "ignore"]))
    except LookupError:
        read = data.decode("latin-1")
    return text[:a] + read + text[b:]


def escaped(r, text):
    """The text with some characters as entities, or a deeper nest of them."""
    kind = r.random()
    if kind < 0.3:
        return html.escape(text)
    if kind < 0.4:
        return text.replace("&", "&" + "amp;" * r.randrange(1, 40))
    out = []
    for c in text:
        if r.random() < 0.2:
            form = r.choice(["&#%d;", "&#x%x;", "&#X%X;", "&#%d", "&#x%x", "&amp;#%d;", "&#%d ;"])
            out.append(form % ord(c))
        else:
            out.append(c)
    return "".join(out)


def mutated(r, text):
    for _ in range(r.choice([1, 1, 1, 2, 2, 3, 4, 6])):
        kind = r.randrange(14)
        place = r.randrange(len(text) + 1)
        if kind < 4:
            text = misread(r, text)
        elif kind < 6:
            text = escaped(r, text)
        elif kind == 6:
            text = text[:place] + "".join(scalar(r) for _ in range(r.randrange(1, 6))) + text[place:]
        elif kind == 7:
            text = text[:place] + r.choice(words) + text[place:]
        elif kind == 8:
            text = text[:place] + "&" + r.choice(entities) + text[place:]
        elif kind == 9:
            text = "".join(c + chr(r.randrange(0x300, 0x370)) if r.random() < 0.2 else c for c in text)
        elif kind == 10:
            text = r.choice([text.upper, text.lower, text.title, text.swapcase])()
        elif kind == 11:
            text = text[:place] + r.choice("\n\r\t \u3000\u2009\x0b\x1c<'\u2019") + text[place:]
        elif kind == 12:
            text = text[:place] + text[place + r.randrange(1, 4) :]
        else:
            text = r.choice([text * 2, text[place:] + text[:place], text.replace(" ", ""), text[::-1]])
        text = text[:2000]
    return text


def nasty(r):
    parts = [r.choice(words) if r.random() < 0.7 else scalar(r) for _ in range(r.randrange(1, 8))]
    text = "".join(p + r.choice(["", " ", " ", "\n" if r.random() < 0.1 else ""]) for p in parts)
    return mutated(r, text) if r.random() < 0.5 else text


def nasties(count, seed):
    r = random.Random(seed)
    return [valid(nasty(r)) for _ in range(count)]


def captions(folder):
    """Every string in the lists of the shared data that is a caption, once."""
    found = {}

    def take(value):
        if isinstance(value, str):
            found[value] = None
        elif isinstance(value, list):
            for item in value:
                take(item)
        elif isinstance(value, dict):
            for item in value.values():
                take(item)

    for path in sorted(pathlib.Path(folder).rglob("*.jsonl")):
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            for name in ("caption", "alt_captions", "translations"):
                take(row.get(name))
    return [valid(text) for text in found]


def fuzzed(count, seed, folder):
    r = random.Random(seed)
    source = captions(folder) if folder != "-" else nasties(1000, seed)
    texts = [mutated(r, r.choice(source)) for _ in range(count)]
    # A few very long ones: one word, many words, one character again and again, and misread.
    for _ in range(max(1, count // 20_000)):
        text = " ".join(r.choice(source) for _ in range(3000))[:100_000]
        texts += [text, text.replace(" ", ""), scalar(r) * 100_000, misread(r, text[:30_000])]
    return [valid(text) for text in texts]


def every_scalar():
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            yield "aΣ%sΣ1%s!%s\u0301%s b" % ((chr(c),) * 4)


def valid(text):
    return text.encode("utf-8", "replace").decode("utf-8")


def ids(text):
    """Start, ids, end, cut to 77, without padding."""
    found = [clip.sot_token_id] + clip.encode(text) + [clip.eot_token_id]
    if len(found) > 77:
        found = found[:76] + [clip.eot_token_id]
    return found


def record(text):
    data, found = text.encode("utf-8"), ids(text)
    return struct.pack("<I", len(data)) + data + struct.pack(f"<I{len(found)}i", len(found), *found)


def fingerprint(found):
    value = 0x811C9DC5
    for byte in struct.pack(f"<{len(found)}i", *found):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def write(path, texts):
    # One process: a pool that is forked beside torch's threads may never end.
    with open(path, "wb") as out:
        for text in texts:
            out.write(record(text))


def main(command, *arguments):
    if command == "nasties":
        write(arguments[2], nasties(int(arguments[0]), int(arguments[1])))
    elif command == "captions":
        write(arguments[1], captions(arguments[0]))
    elif command == "fuzz":
        write(arguments[3], fuzzed(int(arguments[0]), int(arguments[1]), arguments[2]))
    elif command == "scalars":
        write(arguments[0], every_scalar())
    elif command == "fixture":
        rows = []
        for text in nasties(10_000, 7):
            data = text.encode("utf-8")
            rows.append(struct.pack("<I", len(data)) + data + struct.pack("<I", fingerprint(ids(text))))
        (here / "nasties.bin.gz").write_bytes(gzip.compress(b"".join(rows), compresslevel=9, mtime=0))


main(*sys.argv[1:])
