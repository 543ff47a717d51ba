"""Where a text names an agent: by name or slug, with the endings and particles of its language."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_APOSTROPHE = r"['’`ʼ]\w{1,4}"
_LATIN = r"(?:em|iem|owi|ovi|lle|lta|nak|nek|val|vel)"
_CYRILLIC = r"(?:а|у|ю|я|е|ы|и|ом|ем|ой|ей|ою)"
_HANGUL = r"[가-힣]{1,4}"
_QUOTED = re.compile(
    r'"[^"\n]*"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』|`[^`\n]*`'
)
"""What is quoted is talked about, not said."""
_SHORTEST = 2
_WORD_BEFORE = r"(?<![\w@./\\-])"
_ASCII_BEFORE = r"(?<![A-Za-z0-9_@./\\-])"
"""Scripts without blanks touch a name."""
_AFTER = r"(?![@/\\=({]|[._-]\w)"


@dataclass(frozen=True, slots=True)
class Named:
    """A place in a text where an agent is named; its ending belongs to it."""

    slug: str
    start: int
    end: int


def named(text: str, agents: Mapping[str, Sequence[str]]) -> list[Named]:
    """The places where agents (slug to names) are named, in order; none within quotes."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    found: dict[tuple[int, int], Named] = {}
    for slug, names in agents.items():
        for match in _pattern(tuple(sorted({*names}))).finditer(text):
            if not any(a <= match.start() < b for a, b in quoted):
                found.setdefault(match.span(), Named(slug, *match.span()))
    return _longest(found.values())


def _longest(found: Iterable[Named]) -> list[Named]:
    """Of places that overlap the longest one: "Anna" is not "Ann"."""
    kept: list[Named] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


@lru_cache(maxsize=512)
def _pattern(names: tuple[str, ...]) -> "re.Pattern[str]":
    parts = [_of(name) for name in names if len(name) >= _SHORTEST]
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)


def _of(name: str) -> str:
    spelled = re.escape(name).replace(r"\ ", r"\s+")
    if re.search(r"[\u3040-\u30ff\u3400-\u9fff]", name):
        return spelled
    if re.search(r"[가-힣]", name):
        return rf"{_WORD_BEFORE}{spelled}(?:{_HANGUL})?(?!\w)"
    if re.search(r"[\u0400-\u04ff]", name):
        stem = re.escape(name[:-1]) if name[-1].lower() in "ая" and len(name) > 3 else spelled
        return rf"{_WORD_BEFORE}(?:{spelled}|{stem}{_CYRILLIC}|{spelled}{_CYRILLIC})(?!\w){_AFTER}"
    ends = rf"(?:{_APOSTROPHE}|{_LATIN})?"
    return rf"{_ASCII_BEFORE}{spelled}{ends}(?![A-Za-z0-9_\u00c0-\u024f]){_AFTER}"
