"""Slips of the pen in a question, put right by words that are remembered.

One edit at the most, and only in words that are no English ones: a remembered word is no reason to
read a right word as another. What the words mean is the embedder's to say.
"""

import re
import string
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from .stemming import STOP_WORDS, stems, words

_WORD = re.compile(r"(?<![\w'’@#./-])[a-z]{5,24}(?![\w@/]|[.'’-]\w)")
"""Words in small letters: a name looks like a slip of another and is none."""


@runtime_checkable
class Dictionary(Protocol):
    """Who knows ordinary words."""

    def knows(self, word: str) -> bool: ...


def respelt(
    text: str, *, used: Callable[[str], int], word_of: Callable[[str], str], known: Dictionary
) -> str:
    """The text with its slips replaced.

    `used` tells in how many of the items that may be seen a stem stands, `word_of` a word of them
    with that stem.
    """

    def right(match: re.Match[str]) -> str:
        word = match[0]
        stem = "".join(stems(word))
        if word in STOP_WORDS or known.knows(word) or used(stem):
            return word
        near = max(_one_edit_from(stem), key=lambda one: (used(one), one), default=stem)
        return word_of(near) if used(near) else word

    return _WORD.sub(right, text)


def word_with(stem: str, text: str) -> str:
    """The first word of the text that has this stem; else empty."""
    return next((word for word in words(text) if stems(word) == [stem]), "")


def _one_edit_from(stem: str) -> Iterator[str]:
    """Stems with one letter more, less or another, or two exchanged; the first letter stays."""
    for place in range(1, len(stem) + 1):
        head, tail = stem[:place], stem[place:]
        for letter in string.ascii_lowercase:
            yield f"{head}{letter}{tail}"
            if tail and letter != tail[0]:
                yield f"{head}{letter}{tail[1:]}"
        if tail:
            yield head + tail[1:]
        if len(tail) > 1 and tail[0] != tail[1]:
            yield f"{head}{tail[1]}{tail[0]}{tail[2:]}"
