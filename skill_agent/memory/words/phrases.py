"""Phrases found in text whatever the case and the spaces between words; rules only."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from .folding import UNSPACED

_EDGES = " \t\r\n.,;:!?\"'“”‘’()[]…"
_LONG = 16
"""Characters from which on a phrase need not end where words end."""
_UNSPACED = re.compile(f"[{UNSPACED}]")


def phrase_form(text: str) -> str:
    """The one form in which phrases and texts are compared; capitals and ways to write the same
    character do not count, accents do."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Phrase:
    """Some words to be found; punctuation around them does not count."""

    def __init__(self, text: str) -> None:
        folded = phrase_form(text)
        words = (folded.strip(_EDGES) or folded).split()
        self._first = words[0] if words else ""
        body = r"\s*".join(map(re.escape, words))
        if len(body) < _LONG and not _UNSPACED.search(body):
            body = rf"(?<!\w){body}(?!\w)"
        self._pattern = re.compile(body)

    def within(self, folded: str) -> bool:
        """Whether a text in `phrase_form` holds the phrase; an empty one never is."""
        return bool(self._first) and self._first in folded and bool(self._pattern.search(folded))


class Finder:
    """Tells whether a text, or what it says as JSON, repeats one of many phrases, or is about one
    of many ids (an object's `id`)."""

    def __init__(self, phrases: Iterable[str], ids: Iterable[str] = ()) -> None:
        self._phrases = [Phrase(text) for text in dict.fromkeys(phrases)]
        self._ids = frozenset(ids)

    def __call__(self, text: str) -> bool:
        told = text
        if text.lstrip().startswith(("{", "[")):
            try:
                value = json.loads(text)
            except ValueError:
                pass
            else:
                if not self._ids.isdisjoint(_ids(value)):
                    return True
                told = "\n".join(strings_in(value))
        folded = phrase_form(told)
        return any(phrase.within(folded) for phrase in self._phrases)


def strings_in(value: Any) -> Iterator[str]:
    """Every text, key and number inside a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from strings_in(inner)
        case list():
            for inner in value:
                yield from strings_in(inner)
        case int() | float():
            yield str(value)
        case _:
            return


def _ids(value: Any) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("id"), str):
                yield value["id"]
            for inner in value.values():
                yield from _ids(inner)
        case list():
            for inner in value:
                yield from _ids(inner)
        case _:
            return
