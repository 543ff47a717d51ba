"""Words of a text and their stems, as they are indexed and compared everywhere in recall."""

import re
import unicodedata
from functools import lru_cache

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"
"""Kana and Han, which are written without spaces: each character is a word of its own."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
STOP_WORDS = frozenset(
    _WORD.findall(
        """
    a about after all also am an and any are as at be been being but by can could d did do does
    doing don for from had has have having he her here hers him his how i if in into is it its
    just ll m me more my no not of on or our out over re s she so some such t than that the
    their them then there these they this those through to too under up ve very was we were what
    when where which while who whom why will with would you your yours
        """
    )
)
_SUFFIXES = (
    ("ational", "ate"), ("fulness", ""), ("iness", "y"), ("ingly", ""), ("edly", ""),
    ("ments", ""), ("sses", "ss"), ("ings", ""), ("ment", ""), ("ies", "y"), ("ied", "y"),
    ("ing", ""), ("ers", ""), ("eds", ""), ("er", ""), ("ed", ""), ("ly", ""), ("es", ""),
    ("s", ""),
)  # fmt: skip


def words(text: str) -> list[str]:
    """Lower-case runs of letters and digits, accents removed."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", "".join(c for c in parts if not _is_accent(c)))
    return _WORD.findall(text.lower())


def stems(text: str) -> list[str]:
    """Words without stop-words, each cut to its stem, in order and with repeats."""
    return [_stem(word) for word in words(text) if word not in STOP_WORDS]


def _is_accent(character: str) -> bool:
    """Only marks over Latin, Greek and Cyrillic: elsewhere they tell words apart."""
    return "\u0300" <= character <= "\u036f"


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """Strips one English suffix; crude on purpose: it only has to send kin to the same place."""
    if len(word) < 4 or not word.isascii():
        return word
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("i"):
        word = word[:-1] + "y"
    return word
