"""The words that answer a question, of every language together.

Which language an answer is in is not asked: one word is too short to tell. A word that two
languages use differently counts as what does the least harm.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from skill_agent.text.language import spoken
from skill_agent.text.scripts import UNSPACED

Sort = Literal["hold", "cancel", "not", "but", "revise", "proceed", "bare", "around"]
"""`bare` says proceed where there is nothing else; `hold`, `not` and `but` leave open what is
meant, and something new begins with `but`; `around` changes nothing."""
Lists = Mapping[str, Mapping[Any, Sequence[str]]]
"""Words by language and sort."""

_SORTS: tuple[Sort, ...] = get_args(Sort)
"""What does the least harm first."""
_WORD = rf"[^\W_{UNSPACED}]+(?:['-][^\W_{UNSPACED}]+)*"
_TOKEN = re.compile(
    rf"(?P<one>[{UNSPACED}])|(?P<word>{_WORD})|(?P<end>[,.;:!?…()\n/、。]| [-–—]+ )|\S"
)
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d]")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})

END = ","
"""Stands for whatever ends a part of a sentence; questions end in `?`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A word that is known, or one that is not."""

    sort: Sort | None
    words: tuple[str, ...]


class Lexicon:
    """Finds words in an answer, the longest first."""

    def __init__(self, lists: Lists) -> None:
        self._known: dict[tuple[str, ...], Sort] = {}
        plain: dict[tuple[str, ...], Sort] = {}
        for sort in _SORTS:
            for of_language in lists.values():
                for word in of_language.get(sort, ()):
                    key = tuple(tokens_in(word))
                    self._known.setdefault(key, sort)
                    plain.setdefault(tuple(map(_plain, key)), sort)
        for key, sort in plain.items():
            self._known.setdefault(key, sort)
        self._longest = max(map(len, self._known), default=1)

    def found_in(self, clause: Sequence[str]) -> Iterator[Found]:
        """Its words one after another."""
        at = 0
        while at < len(clause):
            found = next(self._at(clause, at), Found(None, (clause[at],)))
            yield found
            at += len(found.words)

    def _at(self, clause: Sequence[str], at: int) -> Iterator[Found]:
        for length in range(min(self._longest, len(clause) - at), 0, -1):
            words = tuple(clause[at : at + length])
            sort = self._known.get(words) or self._known.get(tuple(map(_plain, words)))
            if sort:
                yield Found(sort, words)


def tokens_in(text: str) -> list[str]:
    """Words, signs, and `END` or `?` where a part of the sentence ends; of scripts without blanks
    each letter. Case, width and the colour of a skin are gone."""
    told = unicodedata.normalize("NFKC", _SKIN.sub("", text)).translate(_APOSTROPHES).casefold()
    found: list[str] = []
    for match in _TOKEN.finditer(f"{told} "):
        if match["end"]:
            found.append("?" if match["end"] == "?" else END)
        elif match["one"] or match["word"] or not _is_quote(match[0]):
            found.append(match[0])
    return found


def _is_quote(sign: str) -> bool:
    return unicodedata.category(sign) in ("Pi", "Pf", "Po", "Ps", "Pe", "Pd")


def _plain(word: str) -> str:
    """Without the marks that people leave out in a hurry; those of Japanese are no such marks."""
    if word < "\u0500":
        parts = unicodedata.normalize("NFD", word.replace("й", "\0"))
        word = "".join(one for one in parts if not unicodedata.combining(one)).replace("\0", "й")
    return word.replace("ß", "ss")


@cache
def bundled() -> Lists:
    """The words this program comes with, by language."""
    tables = {one.code: one.tables["answers"] for one in spoken() if "answers" in one.tables}
    return {
        code: {sort: tuple(table[sort]) for sort in _SORTS if sort in table}
        for code, table in tables.items()
    }


def help_in(code: str) -> str:
    """How an answer may look, in a language; in English where nothing is known of it."""
    told = {one.code: one.tables.get("answers", {}).get("help", "") for one in spoken()}
    return told.get(code) or told["en"]


def with_own(own: Lists) -> Lists:
    """The bundled words and a person's own ones."""
    lists = {code: dict(table) for code, table in bundled().items()}
    for code, table in own.items():
        known = lists.setdefault(code, {})
        for sort, words in table.items():
            known[sort] = tuple(dict.fromkeys((*known.get(sort, ()), *words)))
    return lists


def clashes(own: Lists) -> Iterator[str]:
    """What is wrong with a person's own words: none at all, or one that means something else."""
    meanings: dict[tuple[str, ...], str] = {}
    for table in bundled().values():
        for sort in _SORTS[: _SORTS.index("bare")]:
            for word in table.get(sort, ()):
                meanings.setdefault(tuple(tokens_in(word)), f"the known words ({sort})")
    for code, table in own.items():
        for sort, words in table.items():
            here = f"words.{code}.{sort}"
            for word in words:
                key = tuple(tokens_in(word))
                if not key or END in key or "?" in key:
                    yield f"{here} has {word!r}, which is no word"
                    continue
                other = meanings.setdefault(key, here)
                if other != here and not other.endswith(f"({sort})"):
                    yield f"{word!r} is in {here} and in {other}"
