"""What the kind of a message is read from: hashed pieces of words, pairs of words, and its shape.

The same for every language: nothing here knows a word. Scripts without spaces give their
characters where others give words.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from zlib import crc32

BUCKETS = 1 << 18
"""Rows of the table of weights; changing anything here means training it anew."""

_LONGEST_GRAM = 4
_WINDOW = 4
"""How far apart two words may stand to count as a pair."""
_LOUDNESS, _SHAPE_LOUDNESS = 3.0, 0.5
_QUOTED = re.compile(r"\"[^\"]+\"|“[^”]+”|„[^“”]+[“”]|«[^»]+»|「[^」]+」|『[^』]+』|`[^`]+`")
_UNSPACED = "぀-ヿ㐀-䶿一-鿿豈-﫿ｦ-ﾟ"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_RUN = re.compile(rf"[{_UNSPACED}ー々]+|[^\s{_UNSPACED}]+")
_ENDS = {"?": "?", "？": "?", "؟": "?", ";": "?", "!": "!", "！": "!", ":": ":", "：": ":"}


def folded(text: str) -> str:
    """Text as its features see it: no case, no accents over letters of alphabets, every digit 0,
    and what stands in quotation marks as one sign."""
    text = _QUOTED.sub(" ❞ ", unicodedata.normalize("NFC", text)).casefold()
    letters: list[str] = []
    for char in text:
        if char.isdigit():
            letters.append("0")
        elif "\u00c0" <= char < "\u0530" or "\u1e00" <= char < "\u2000":
            letters.append(unicodedata.normalize("NFD", char)[0])
        else:
            letters.append("'" if char == "’" else char)
    return "".join(letters)


def features(sentence: str) -> list[tuple[float, list[int]]]:
    """Buckets of a sentence, each once, with what one of them counts: of its characters and of its
    words, which count less the more there are, and of its shape."""
    text = folded(sentence).strip()
    tokens = _TOKEN.findall(text)
    read = [_hashed(_characters(text)), _hashed(_words(tokens))]
    groups = [(_LOUDNESS / math.sqrt(len(one)), one) for one in read if one]
    return [*groups, (_SHAPE_LOUDNESS, _hashed(_shape(text, tokens)))]


def _hashed(pieces: Iterator[str]) -> list[int]:
    return [*{crc32(one.encode("utf-8", "replace")) % BUCKETS for one in pieces}]


def _characters(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        spaced = not re.match(f"[{_UNSPACED}]", run)
        padded = f"_{run}_" if spaced else run
        for size in range(2 if spaced else 1, _LONGEST_GRAM + 1):
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]


def _words(tokens: list[str]) -> Iterator[str]:
    for place, word in enumerate(tokens):
        yield f"w {word}"
        for apart, other in enumerate(tokens[place + 1 : place + 1 + _WINDOW]):
            yield f"p {word} {other}"
            if not apart:
                yield f"b {word} {other}"
    for size in (1, 2, 3):
        yield f"first {' '.join(tokens[:size])}"
        yield f"last {' '.join(tokens[-size:])}"


def _shape(text: str, tokens: list[str]) -> Iterator[str]:
    end = _ENDS.get(text[-1:], "")
    asks = "?" if any(mark in text for mark in "?？؟") else ""
    yield f"end {end}"
    yield f"asks {asks}"
    yield f"length {len(tokens).bit_length()}"
    yield f"digits {'0' in text}"
    yield f"length {len(tokens).bit_length()} {asks}{end}"
    if "❞" in text:
        yield "quoted"
    if "\n" in text:
        yield "lines"
