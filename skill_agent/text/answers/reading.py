"""What an answer means. When in doubt it means nothing: a question asked again costs a moment, and
a wrong "proceed" may cost a lot.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .lexicon import END, Found, Lexicon, Lists, Sort, tokens_in

Sorts = Sequence[Sort | None]
_LONGEST = 4_000
"""Characters of an answer."""
_LED = re.compile(r"(?P<word>[^:：\n]{1,40}?)\s*[:：]\s*(?P<rest>\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Meant:
    """What was said, and what of it is to be passed on."""

    action: str
    """`proceed`, `revise`, `cancel`; empty where nothing is certain."""
    words: str = ""
    why: str = ""
    """What was wrong with it, for whoever gave it."""


class AnswerReader:
    """Reads answers by lists of words."""

    def __init__(self, lists: Lists) -> None:
        self._lexicon = Lexicon(lists)

    def read(self, text: str) -> Meant:
        """What is certain of it."""
        said = text.strip()
        if not said:
            return Meant("", why="nothing was said")
        if len(said) > _LONGEST:
            return Meant("", why=f"more than {_LONGEST} characters")
        if ordered := self._ordered(said):
            return ordered
        tokens = tokens_in(said)
        clauses = [part for one in _clauses(tokens) for part in self._parts(one)]
        sorts: Sorts = [one.sort for clause in clauses for one in clause]
        if _revises(clauses, asks="?" in tokens):
            return _revision(said, sorts)
        if "revise" in sorts:
            return Meant("", why="it says to change something, and something else")
        if "?" in tokens:
            return Meant("", why="it is a question itself")
        if "proceed" in sorts and "cancel" in sorts:
            return Meant("", why="it says both to go on and not to")
        if _goes_on(sorts):
            return Meant("proceed")
        if "cancel" in sorts:
            return _cancelled(said, clauses)
        return Meant("", why="it says neither to go on, nor to change something, nor to stop")

    def _ordered(self, said: str) -> Meant | None:
        """`revise: …`: whatever follows is what is to be different."""
        led = _LED.fullmatch(said)
        if led is None:
            return None
        first = [one.sort for one in self._lexicon.found_in(tokens_in(led["word"]))]
        return Meant("revise", led["rest"].strip()) if first == ["revise"] else None

    def _parts(self, clause: Sequence[str]) -> list[list[Found]]:
        """What stands before each "but", and what follows it."""
        parts: list[list[Found]] = [[]]
        for one in self._lexicon.found_in(clause):
            if one.sort == "but":
                parts.append([])
            parts[-1].append(one)
        return [one for one in parts if one]


def _clauses(tokens: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for one in tokens:
        if one in (END, "?"):
            parts.append([])
        else:
            parts[-1].append(one)
    return [one for one in parts if one]


def _revises(clauses: Sequence[Sequence[Found]], *, asks: bool) -> bool:
    """A part of it says to change something, with nothing in it that takes that back; a "no" may
    stand before it."""
    first = clauses[0][0].sort if clauses else None
    if asks and first != "around":
        return False
    open_ = True
    for clause in clauses:
        sorts = _sorts(clause)
        if "revise" in sorts and not sorts & {"cancel", "not", "hold"}:
            return open_
        open_ = open_ and ("cancel" not in sorts or sorts <= {"cancel", "around"})
    return False


def _revision(said: str, sorts: Sorts) -> Meant:
    if None not in sorts:
        return Meant("", why="it does not say what is to be different")
    return Meant("revise", said)


def _goes_on(sorts: Sorts) -> bool:
    """Every word of it is known, and none leaves anything open."""
    return sorts == ["bare"] or ("proceed" in sorts and set(sorts) <= {"proceed", "around"})


def _cancelled(said: str, clauses: Sequence[Sequence[Found]]) -> Meant:
    """Nothing but a "no", or one with a reason behind it."""
    for clause in clauses:
        if len({one.words for one in clause if one.sort == "cancel"}) > 1:
            return Meant("", why="one word takes the other back")
    if all(_sorts(clause) <= {"cancel", "around"} for clause in clauses):
        return Meant("cancel")
    first, *rest = clauses
    plain = "cancel" in _sorts(first) <= {"cancel", "around"}
    if plain and not any(
        _sorts(one) & {"hold", "but", "cancel", "proceed", "bare"} for one in rest
    ):
        return Meant("cancel", said)
    return Meant("", why="it may mean to stop, or not")


def _sorts(clause: Sequence[Found]) -> set[Sort | None]:
    return {one.sort for one in clause}
