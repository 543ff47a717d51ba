"""Other names for the same thing, read out of sentences that give one; signs only, so that any
language will do.

'The team calls Robert "Bob"' lets a question about Bob be asked about Robert too. Nothing is kept:
the memory that says it is found by the question itself.
"""

import re
from collections.abc import Iterable, Iterator

from skill_agent.memory.words.likely import is_common

_OPEN, _CLOSE = "\"'“”„«»‘「『《", "\"'”“»«’」』》"
_QUOTED = rf"(?<!\w)[{_OPEN}][^{_OPEN}{_CLOSE}.!?]{{1,24}}[{_CLOSE}](?!\w)"
_CAPITAL = r"[^\W\d_a-zà-öø-ÿа-яё\u3040-\u30ff\u3400-\u9fff]"
_PLAIN = rf"(?<!\w){_CAPITAL}[\w-]*(?: {_CAPITAL}[\w-]*){{0,2}}"
_NAME = f"(?:{_QUOTED}|{_PLAIN})"
_PATTERNS = tuple(
    re.compile(f"(?P<one>{_NAME}){between}(?P<two>{two}){after}")
    for between, two, after in (
        (rf",? (?:(?!{_CAPITAL})[^\W\d_]+ ){{0,2}}", _QUOTED, ""),
        (r" ?[(（](?:[^\W\d_]{2,4} )?", _NAME, "[)）]"),
        (r",? ?(?:=|\b(?:aka|a\.k\.a\.|alias)\b) ?", _NAME, ""),
    )
)
_HINT = re.compile(rf"[{_OPEN}(（=]|\baka\b|a\.k\.a|\balias\b")


def renamed(question: str, texts: Iterable[str]) -> str:
    """The question with a name exchanged for another that one of the texts gives; else empty."""
    for text in texts:
        for one, two in names(text):
            for known, other in ((one, two), (two, one)):
                said = re.compile(rf"(?<!\w){re.escape(known)}(?!\w)", re.IGNORECASE)
                if said.search(question) and other.casefold() not in question.casefold():
                    return said.sub(lambda _, new=other: new, question)
    return ""


def names(text: str) -> Iterator[tuple[str, str]]:
    """Pairs of names that a text gives to the same thing, without quotes."""
    if not _HINT.search(text):
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            one, two = (_bare(match[part].strip(_OPEN + _CLOSE)) for part in ("one", "two"))
            if one and two and one.casefold() != two.casefold():
                yield one, two


def _bare(name: str) -> str:
    """Without the little words that begin a sentence or a phrase."""
    said = name.split()
    while said and is_common(said[0]):
        del said[0]
    return " ".join(said)
