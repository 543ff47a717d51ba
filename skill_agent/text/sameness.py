"""Whether two texts say the same: the one comparer for whatever drops, merges or replaces.

Equal is what is equal in everything that can carry meaning: each sign, symbol, mark and character,
whatever the script. Only blanks, the capitals of plain words, compatibility forms and a final stop
or exclamation mark are looked past. In doubt two texts are not the same, and both stay.
"""

import re
import unicodedata
from collections import Counter

_ALIKE = frozenset({
    "wide", "narrow", "noBreak", "compat", "small", "vertical", "initial", "medial", "final",
    "isolated",
})  # fmt: skip
"""Compatibility forms that are another shape of the same: full-width, ligatures, presentation
forms. Not superscripts, subscripts, fractions, circled, squared or lettered mathematics: m² is no
m2."""
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_END = re.compile(r"(?:\s*(?:[.。]|(?<![\d)])!))+$")
"""Ends of a sentence; a question mark asks, and a number with `!` is another number."""
_UNSPACED = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005-\u3007"
    r"\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
"""Scripts written without blanks, where any character may be a word."""
_PIECE = re.compile(rf"[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+|\d+|\s+|.", re.DOTALL)
_AROUND = ".,;:!?()\"'"
"""What stands around words, and tells nothing of how they are spelt."""
_ABBREVIATION = 3
"""Letters up to which capitals are a name of their own: US, MW, CO."""


def plain(text: str) -> str:
    """The text in one form, its blanks single; capitals stay."""
    shaped = "".join(map(_shape, unicodedata.normalize("NFC", text)))
    text = " ".join(unicodedata.normalize("NFC", shaped).translate(_QUOTES).split())
    return _END.sub("", text) or text


def same(one: str, other: str) -> bool:
    """Whether both say the same in every sign."""
    a, b = plain(one), plain(other)
    if a == b:
        return True
    return a.lower() == b.lower() and _same_capitals(a, b)


def marks(text: str) -> "Counter[str]":
    """What of a text is no plain small word of ASCII, each as often as it stands there: numbers and
    what touches them, names, signs, symbols, characters of unspaced scripts."""
    found = Counter[str]()
    for at, token in enumerate(plain(text).split(" ")):
        word = token.strip(_AROUND)
        named = at > 0 and any(map(str.isupper, word)) and word not in ("I", "I'm")
        if named or not word.isascii() or not _is_plain_word(word):
            found.update(_PIECE.findall(token.rstrip(".,;:!")))
    return found


def _shape(character: str) -> str:
    if character.isascii():
        return character
    tag, _, _ = unicodedata.decomposition(character).partition(" ")
    return unicodedata.normalize("NFKC", character) if tag.strip("<>") in _ALIKE else character


def _is_plain_word(token: str) -> bool:
    return not token or all(_is_word(part) for part in re.split(r"['-]", token))


def _is_word(part: str) -> bool:
    return bool(part) and part.isalpha() and not re.search(rf"[{_UNSPACED}]", part)


def _same_capitals(a: str, b: str) -> bool:
    """Whether texts that differ in capitals alone differ only where these tell nothing: not within
    an identifier, not in a unit or an abbreviation, not in a letter that stands alone."""
    shouted = any(not any(map(str.islower, text)) for text in (a, b))
    mine, theirs = a.split(" "), b.split(" ")
    before = ""
    for at, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        if one != other and not _is_spelling(one, other, before, first=at == 0, shouted=shouted):
            return False
        before = one
    return True


def _is_spelling(one: str, other: str, before: str, *, first: bool, shouted: bool) -> bool:
    words = [token.strip(_AROUND) for token in (one, other)]
    if not all(map(_is_plain_word, words)) or re.search(r"\d\W*$", before):
        return False
    if len(words[0]) == 1:
        return first and words[0].lower() in "ai"
    parts = [part for word in words for part in re.split(r"['-]", word)]
    usual = all(part.islower() or part.istitle() or part.isupper() for part in parts)
    short = any(part.isupper() and 1 < len(part) <= _ABBREVIATION for part in parts)
    return usual and (shouted or not short)
