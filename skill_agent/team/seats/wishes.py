"""What a person asks of who takes part in a conversation, in the language they write: "go back to
Kyra", "invite Ada", "Luke can leave".

One mechanism reads every language: an agent's name, and a pattern of the heading `[seats]` that a
whole sentence fits but for little words around it. A wish among other words is none: what was
wrongly taken for one would change who answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from skill_agent.text.language import Language, english, language, spoken
from skill_agent.text.scripts import SHORTENED

WishKind = Literal["back", "over", "invite", "join", "leave"]
KINDS: tuple[WishKind, ...] = get_args(WishKind)
_LONGEST = 600
"""Characters of a message that may hold one; in a longer one it is told, and not asked for."""
_SENTENCES = re.compile(rf"(?<=[.!?…]){SHORTENED}\s+|(?<=[。！？])|\n+")
_EDGES = " \t.!?…。！？,，、;:¡¿\"'«»„“”"
_BETWEEN = r"[\s,，、.!…;:–-]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatWish:
    """What is asked for, and of whom."""

    kind: WishKind
    agents: tuple[str, ...]
    """Slugs, in the order they were named."""


def seat_wish(words: str, names: Mapping[str, str]) -> SeatWish | None:
    """The wish in what a person typed; `names` are the agents' slugs by every name they go by,
    case-folded. It begins the message, or ends it."""
    if not names or len(words) > _LONGEST:
        return None
    folded = " ".join(words.casefold().replace("’", "'").split(" "))
    if not any(name in folded for name in names):
        return None
    said = [one for one in _SENTENCES.split(folded) if one.strip(_EDGES)]
    for sentence in dict.fromkeys((folded, said[0], said[-1])) if said else ():
        for pattern in _patterns(tuple(sorted(names))):
            if found := pattern.fullmatch(sentence.strip(_EDGES)):
                return _wish(found, names)
    return None


def words_of(code: str) -> Mapping[str, str]:
    """How a handover is told in a language; in English where it has no words for it."""
    known = language(code) or english()
    return known.tables.get("seats") or english().tables["seats"]


def _wish(found: re.Match[str], names: Mapping[str, str]) -> SeatWish:
    kind: WishKind = next(one for one in KINDS if found[one] is not None)
    named = re.findall(_one_of(tuple(sorted(names))), found[kind])
    return SeatWish(kind=kind, agents=tuple(dict.fromkeys(names[one] for one in named)))


@lru_cache(maxsize=16)
def _patterns(names: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """A pattern a language."""
    return tuple(
        _pattern(one, one.tables["seats"], _one_of(names))
        for one in spoken()
        if "seats" in one.tables
    )


def _pattern(known: Language, table: Mapping[str, Sequence[str]], name: str) -> re.Pattern[str]:
    conj = rf"(?:\s*[,，、]\s*|\s*(?:{table['conj']})\s*)"
    names = rf"{name}(?:{conj}{name})*"

    def filled(text: str) -> str:
        return text.casefold().replace("{names}", names).replace("{name}", name)

    kinds = "|".join(f"(?P<{kind}>{'|'.join(map(filled, table[kind]))})" for kind in KINDS)
    before = rf"(?:(?:{filled(str(table['lead']))}){_BETWEEN})*?"
    after = rf"(?:{_BETWEEN}(?:{filled(str(table['tail']))}))*"
    return re.compile(rf"{before}(?:{kinds}){after}")


def _one_of(names: Sequence[str]) -> str:
    """Any of some names, the longest first; letters of other scripts may touch it."""
    ranked = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True))
    return rf"(?<![a-z0-9_])(?:{ranked})(?![a-z0-9_])"
