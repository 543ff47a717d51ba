"""Whether a text speaks to the model that reads it rather than to a person: a suspicion, which is
told and written down. Nothing is refused for it.

Only for text of others: a person may tell an agent to ignore what was said before.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unicodedata import normalize

from .gate import SHIFTY, control_tokens

KINDS = Path(__file__).parents[1] / "bundled" / "addressing.toml"
TOLD = 0.5
"""The risk from which on a person is told."""
LONGEST = 200_000
"""Characters of a text that are looked at: its beginning and its end."""

_TOKENS, _HIDDEN = "control_tokens", "hidden_text"
_SAYS = {
    _TOKENS: "holds a chat template's control tokens",
    _HIDDEN: "holds text that is not seen",
}
_WEIGHTS = {_TOKENS: 0.5, _HIDDEN: 0.6}
_TAGS = re.compile("(?:[\U000e0020-\U000e007e]\U000e007f?){3,}")
_FLAG = "\U0001f3f4"
"""A flag of a country's part is spelt in tags behind it."""
_UNSEEN_RUNS = re.compile(
    "[\u200b-\u200f\u2060-\u2064\ufeff\u180e]{8,}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"
    "|[\u202d\u202e][^\u202c\n]{3,}"
)
_FOREIGN = re.compile(r"[\u0370-\u1dff\u2e80-\ud7ff\uf900-\ufaff]")
_EVERYDAY = re.compile(
    r"</?(?:s|think|tools?|role)>|\[(?:ARGS|MASK|IMG|SEP|CLS|NL|PREFIX|SUFFIX|MIDDLE|AUDIO|THINK)\]"
)
"""Control tokens that pages and manuals are full of, and that tell nothing alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What is suspicious about a text."""

    risk_score: float = 0.0
    """0 to 1; each kind that was found adds to it."""
    flagged_patterns: tuple[str, ...] = ()
    """Names of the kinds that were found, in the order of the list."""

    @property
    def told(self) -> bool:
        """Whether it is worth a person's attention."""
        return self.risk_score >= TOLD

    @property
    def says(self) -> str:
        """What the text does, behind its subject."""
        *some, last = (_says()[name] for name in self.flagged_patterns) if self.told else ("",)
        return " and ".join(filter(None, (", ".join(some), last)))


@dataclass(frozen=True, slots=True)
class _Kind:
    says: str
    weight: float
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    kind: str
    pattern: "re.Pattern[str]"
    by_lines: bool
    """It tells where a line begins; the others also run over the ends of lines."""
    foreign: bool
    """Not in Latin letters."""
    heads: frozenset[str]
    """It begins with one of these words; empty where that is not so plain."""

    def stands_in(self, text: "_Text") -> bool:
        if self.foreign and not text.foreign:
            return False
        if self.heads and self.heads.isdisjoint(text.words):
            return False
        return bool(self.pattern.search(text.lines if self.by_lines else text.whole))


class _Text:
    """A text as the patterns want it."""

    def __init__(self, text: str) -> None:
        self.lines = _plain(text)
        self.whole = self.lines.replace("\n", " ")
        self.words = frozenset(re.findall(r"\w+", self.lines))
        self.foreign = bool(_FOREIGN.search(self.lines))


def flags_of(text: str) -> Flags:
    """Blocking: some ten milliseconds for a hundred thousand characters."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"
    hidden, smuggled = _hidden(text)
    seen, kinds, found = (
        _Text(f"{text}\n{smuggled}" if smuggled else text),
        _kinds(),
        dict[str, float](),
    )
    for one in _patterns():
        if one.kind not in found and one.stands_in(seen):
            found[one.kind] = kinds[one.kind].weight
    if any(not _EVERYDAY.fullmatch(token) for token in control_tokens(text)):
        found[_TOKENS] = _WEIGHTS[_TOKENS]
    if hidden:
        found[_HIDDEN] = _WEIGHTS[_HIDDEN]
    safe = 1.0
    for weight in found.values():
        safe *= 1 - weight
    return Flags(risk_score=round(1 - safe, 3), flagged_patterns=tuple(found))


def _hidden(text: str) -> tuple[bool, str]:
    """Whether a text holds what nobody sees, and what that spells where it spells anything."""
    tags = (one for one in _TAGS.finditer(text) if text[one.start() - 1 : one.start()] != _FLAG)
    spelt = "\n".join("".join(chr(ord(c) - 0xE0000) for c in one[0]) for one in tags)
    return bool(spelt or _UNSEEN_RUNS.search(text)), spelt


def _plain(text: str) -> str:
    """Without capitals, unseen characters and more than one blank in a row; lines stay."""
    text = _unseen().sub("", normalize("NFKC", text)).casefold()
    text = text.replace("’", "'").replace("\r", "\n")
    return re.sub(r"[^\S\n]+", " ", re.sub(r"\s*\n\s*", "\n", text))


@cache
def _unseen() -> "re.Pattern[str]":
    return re.compile(f"[{SHIFTY}]+")


@cache
def _kinds() -> dict[str, _Kind]:
    told = tomllib.loads(KINDS.read_text("utf-8"))["kind"]
    return {one["name"]: _Kind(one["says"], one["weight"], tuple(one["patterns"])) for one in told}


@cache
def _patterns() -> tuple[_Pattern, ...]:
    return tuple(
        _Pattern(
            kind=name,
            pattern=re.compile(alternative),
            by_lines=r"\n" in alternative,
            foreign=bool(_FOREIGN.search(alternative)),
            heads=_heads(alternative),
        )
        for name, kind in _kinds().items()
        for pattern in kind.patterns
        for alternative in _alternatives(normalize("NFKC", pattern))
    )


def _alternatives(pattern: str) -> list[str]:
    """A pattern parted at each `|` that stands in no bracket."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\.|\[(?:\\.|[^\]\\])+\]|.", pattern, re.DOTALL):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _heads(pattern: str) -> frozenset[str]:
    """The words a pattern begins with, where it begins with a plain choice of some."""
    plain = re.match(r"\\b\(\?:([^()\[\]\\?*+.{}]+)\)(?!\?)", pattern)
    words = (re.findall(r"\w+", one) for one in plain[1].split("|")) if plain else ()
    return frozenset(one[0] for one in words)


@cache
def _says() -> dict[str, str]:
    return {name: one.says for name, one in _kinds().items()} | _SAYS
