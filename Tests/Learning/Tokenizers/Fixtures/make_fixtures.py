"""Writes clip_tokens.jsonl and small.merges: texts with the ids that open_clip gives them.

Made with open_clip_torch 3.3.0, ftfy 6.3.1 and regex 2026.11.15 on Python 3.11 (Unicode 14). The
texts are written here; none comes from a data set.
"""

import gzip
import json
import pathlib
import tempfile

from open_clip.tokenizer import SimpleTokenizer

here = pathlib.Path(__file__).parent

texts = """
a photo of a cat
A Photo Of A Cat.
Two dogs, one ball & three children
it's, we're, they've, I'm, she'll, he'd, can't
IT'S WE'RE THEY'VE I'M SHE'LL HE'D CAN'T
it’s we’re ‘quoted’ “double” ‚low’ „low“ ʼn ŉ
rock 'n' roll, dogs' tails, '90s, o'clock, ''s, '''t
'sunset 'tis 'red 'vessel 'mine 'llama 'dog
itſ 'ſ x'ſt
2024 12345 3.14 1,000,000 1st 2nd 0x7F v2.0.1
½ cup ¼ tsp ¾ 10³ m² Ⅳ ⅷ ① ㊿ ٣٤٥ १२३ 万
100% $5.99 €20 £3 ¥500 №7 #tag @name
!!! ??? ... --- ___ *** ~~~ ((( )))
hello-world snake_case CamelCase kebab/slash\\back
http://example.org/a?b=c&d=e#f
user@example.org
C++ C# F# .NET a+b=c
emoji 😀 😂😂😂 ❤️ 👍🏽 👩‍🎨 🏳️‍🌈 🇫🇷 ⌚️ ☃
👨‍👩‍👧‍👦family👨‍👩‍👧‍👦
✨sparkles✨ 🎨art🎨
日本語のテキスト 東京タワー
中文测试 中華人民共和國
한국어 텍스트 서울
ภาษาไทย กรุงเทพ
Ελληνικά ΟΔΟΣ ΣΊΣΥΦΟΣ Σ ΑΣ. ΑΣΑ ΣΣ
ΌΣΟΣ ΚΑΙ ΟΣ, ΟΣ' ΟΣ'Α
Русский текст Москва Ёж
العربية صورة قطة
עברית תמונה
हिन्दी चित्र
বাংলা ছবি
İstanbul İ I ı i
IĞDIR ŞIŞLI ÇAY
Straße STRASSE ẞ GROẞ
naïve café résumé Zürich Ångström Øre
naïve café résumé Zürich Ångström
Việt Nam phở tiếng
Łódź żółć gęś
ﬁne ﬂow eﬀect oﬃce aﬄict ﬅop laﬆ
Ĳsland ĳs ǅep Ǆ ǆ Ǉ Ǌ ǲ
Ｆｕｌｌ　Ｗｉｄｔｈ　１２３！
ﾊﾝｶｸ ｶﾀｶﾅ ｶﾞ ﾊﾟ ｱﾞ
￠ ￡ ￢ ￣ ￤ ￥ ￦ ￨ ￩ ￭
ﾡ ﾢ ￂ ￇ ￊ ￜ
&amp; &lt;b&gt; &quot;q&quot; &apos;a&apos; &#39;n&#39;
&amp;amp; &amp;amp;amp; &amp;lt;
&nbsp;&nbsp;two spaces&nbsp;&nbsp;
caf&eacute; CAF&EACUTE; &Eacute;t&eacute; na&iuml;ve
P&EACUTE;REZ &NTILDE; &nTILDE; BUNDESSTRA&SZLIG;E
&copy 2020 &copy; &COPY; &reg; &trade; &TRADE;
&euro;5 &pound;3 &yen;9 &cent;1
&hellip; &mdash; &ndash; &bull; &middot;
&#8217; &#x2019; &#X2019; &#8220;x&#8221;
&#150; &#x96; &#x80; &#x81; &#0; &#xD800; &#x110000; &#99999999999;
&#59; &#x3b; &#38; &#38;amp; &#; &#x; &#xg; &;
&notit; &notin; &not; &no &ampx &ltx &gt
&Jscr;ohn &HilbertSpace;ancock &checkmark; &NotEqualTilde;
&CounterClockwiseContourIntegral; &acE; &bne;
<p>&amp;</p> &eacute; a<b&amp;c
<a href="x?id=1&x=2"><b>bold</b></a><br/>
a < b &lt; c
<start_of_text> in the middle
stop here<end_of_text>and go on
<END_OF_TEXT> <Start_Of_Text> !<end_of_text>
<|startoftext|> <|endoftext|>
<ſtart_of_text> x
antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis
supercalifragilisticexpialidocious Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
abababababababababab
hahahahahahaha lololol zzzzzzzzz
1111111111111111111111
qwrtpsdfghjklzxcvbnm
ALL CAPS TITLE | Site Name - Page 3 of 10
DSC_0123.JPG IMG-20200101-WA0001.jpeg
stock photo, royalty free, 4k, HD, 8K wallpaper
Woman in red dress walking on the beach at sunset
man riding a horse; black & white photograph (1923)
\ttabs\tand\tmore\t
line one\\nline two
mañana por la mañana
Ω Ω Å Å K K
ª º µ ß ÿ ŀ ŋ
ﷺ ﷼ ﻻ ﭏ
ⓐⓑⓒ Ⓐ ⒜ 🄰 🅰
𝒥𝑜𝒽𝓃 𝔸𝔹ℂ 𝟙𝟚𝟛
ʰ ʷ ˢ ⁿ ₂ ᵃ
a\u0301 e\u0308 n\u0303 o\u0302\u0301
\u0345α ᾳ α\u0345β
ǰ ᾯ ᾬ ῼ ŉ
ა Ა Ꭰ ꭰ Ა
𐐀 𐐨 𞤀 𞤢
ᏸ Ᏸ ꟊ Ɡ
«guillemets» ‹single› 「corner」 『x』
– — ― ‐ ‑ ‒ − ·
… ‥ ⋯ ′ ″ ‴
← → ↑ ↓ ⇒ ∞ ≠ ≤ ≥ ≈ √ ∑ ∫ π
♠ ♣ ♥ ♦ ♪ ♫ ☀ ☁ ☂ ★ ☆
¿Qué? ¡Hola! ¦ § ¨ © ¬ ® ¯ ° ± ´ ¶ ¸
red,green,blue;yellow:purple/orange
(parenthesised) [bracketed] {braced}
x=1;y=2;z=x+y
don''t don´t don`t don′t
the cat's dog's bird's 's
O'Reilly's McDonald's d'Artagnan l'été qu'il
Ma'am y'all'd've couldn't've
50 shades of grey, 7 wonders, 101 dalmatians
blue circle left of a red square on a white background
""".strip("\n").split("\n")
texts = [t.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in t else t for t in texts]

# What does not fit on a line.
texts += [
    "",
    " ",
    "\n\r\n\t ",
    "a\nb\r\nc\rd\u2028e\u2029f\x85g",
    "first line\n<b>second</b> &amp; line\nthird &amp; line",
    "first &eacute; line\nsecond &eacute; <i>line</i>\nthird &eacute; &amp line",
    "non\u00a0breaking\u2003em\u3000ideographic\u200azero\u200bwidth\u1680ogham",
    "\u202bright to left\u202c \u200fmark\u200e",
    "controls \x00\x01\x07\x08\x0b\x0c\x0e\x1b\x1f\x7f end",
    "sep\x1carate\x1dd\x1ee\x1fr",
    "\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m \x1b[zz \x1b[",
    "\ufeffbyte order mark \ufffc object \ufff9a\ufffab\ufffb \u206a\u206f",
    "soft\u00adhyphen word\u2060joiner",
    "\ufffd replacement \ufffe \uffff",
    "private \ue000\uf8ff \U000f0000",
    "tag \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "e\u0301\u0323 \u1e69 s\u0323\u0307 s\u0307\u0323 \u1100\u1161\u11a8 \uac00\u11a8",
    "\u0958 \u2adc \ufb1d \ufb2a \u0344 \u0374 \u037e \u0387 \u1f71 \u212b \u2126 \u212a",
    "&amp;" * 40,
    "&" * 50,
    "&eacute" * 12,
    "word " * 80,
    "x" * 400,
    "ab" * 120,
    "1 2 3 4 5 6 7 8 9 " * 9,
    "日本" * 60,
    "😀" * 30,
    "the quick brown fox jumps over the lazy dog " * 12,
    "! " * 76,
    ("a " * 75).strip(),
    ("a " * 76).strip(),
    "a " * 74 + "<end_of_text> b c d",
    "extraordinarily " * 75 + "incomprehensibilities",
]

# One text per pattern and script.
letters = ["cat", "CAT", "été", "ÉTÉ", "кот", "КОТ", "γάτα", "ΓΆΤΑΣ", "猫", "ねこ", "ネコ", "고양이", "แมว", "قطة"]
for w in letters:
    texts += [
        f"a photo of a {w}.",
        f"{w}'s {w}’s {w}S' ({w}) {w}-{w}_{w}",
        f"&quot;{w}&quot; &amp; &#8220;{w}&#8221;",
        f"{w}1{w} 2{w} {w}3,{w}",
        f"🙂{w}🙂 {w}™ {w}®",
    ]

# Pairs of words from fixed lists, walked through without chance.
sizes = "tiny small large enormous microscopic gigantic".split()
colours = "red green blue turquoise magenta chartreuse vermilion ultramarine".split()
things = "cube sphere tetrahedron bicycle windmill accordion xylophone hippopotamus".split()
places = "on a table;under the bridge;beside Lake Titicaca;in São Paulo;at 35 mm f/1.8;near Kraków".split(";")
for i in range(100):
    texts.append(
        f"{sizes[i % 6].title()} {colours[i % 8]} {things[(i * 3 + i // 8) % 8]} {places[(i * 5) % 6]}"
        + ["", ".", "!", " #%d" % i, " – stock photo", "…"][i % 6]
    )

texts = list(dict.fromkeys(texts))


def sequence(tokenizer, text):
    ids = [tokenizer.sot_token_id] + tokenizer.encode(text) + [tokenizer.eot_token_id]
    if len(ids) > 77:
        ids = ids[:76] + [tokenizer.eot_token_id]
    padded = ids + [0] * (77 - len(ids))
    assert tokenizer([text])[0].tolist() == padded
    return ids


clip = SimpleTokenizer()
merges = gzip.open(pathlib.Path(__import__("open_clip").__file__).parent / "bpe_simple_vocab_16e6.txt.gz")
small = merges.read().decode().split("\n")[:301]
(here / "small.merges").write_text("\n".join(small) + "\n")
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "small.gz"
    path.write_bytes(gzip.compress("\n".join(small).encode()))
    few = SimpleTokenizer(bpe_path=str(path))

with open(here / "clip_tokens.jsonl", "w") as out:
    for text in texts:
        row = {"text": text, "ids": sequence(clip, text), "small": sequence(few, text)}
        out.write(json.dumps(row) + "\n")
print(len(texts))
