"""A text's words in the one form in which they are compared, whatever their script."""

import re
import unicodedata

UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff"
)
"""Scripts whose words are not told apart by blanks, and Hangul, where endings grow onto them."""
_MARKED = r"\u0900-\u0963\u0966-\u0dff"
"""Scripts of India, whose vowel signs are part of a word and no letters to `\\w`."""
_RUN = re.compile(rf"[{UNSPACED}]+|(?:[^\W_{UNSPACED}{_MARKED}]+|[{_MARKED}]+)+")
_PLAIN_RUN = re.compile("[a-z0-9]+")
_LOOSE_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]")
"""Marks over Latin, Greek and Cyrillic letters and the points of Hebrew and Arabic, which people
leave out; elsewhere they tell words apart."""


def folded(text: str) -> str:
    """Small letters in their plainest form: no accents, no full-width or styled shapes."""
    if text.isascii():
        return text.lower()
    parts = _LOOSE_MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", parts).casefold()


def runs(text: str) -> list[str]:
    """The words of a folded text; of a script without blanks, what stands between other signs."""
    return (_PLAIN_RUN if text.isascii() else _RUN).findall(text)


def unspaced(run: str) -> bool:
    """Whether a run is of a script without blanks; no run mixes them with others."""
    return run[0] >= "\u0e00" and _UNSPACED.match(run) is not None


_UNSPACED = re.compile(f"[{UNSPACED}]")
