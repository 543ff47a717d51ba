"""What of a day's points still holds at its end: what was said later is compared by its words."""

from collections.abc import Sequence

from skill_agent.memory.contradictions.signs import signs_of
from skill_agent.memory.words.stemming import stems
from skill_agent.text.sameness import plain
from skill_agent.values import SummaryMark, SummaryPoint

_ALIKE = 0.6
"""Share of the shorter one's word stems from which on two sentences speak of the same."""
_FEWEST = 2


def standing(points: Sequence[SummaryPoint], replaced: Sequence[str] = ()) -> list[SummaryPoint]:
    """The points, in their order, without what was said again, what was settled, and what was said
    to be otherwise later; `replaced` is what memory knows to hold no longer."""
    stale = [plain(one).casefold() for one in replaced]
    kept: list[SummaryPoint] = []
    told: set[tuple[SummaryMark, str]] = set()
    words = {one.text: frozenset(stems(one.text)) for one in points}
    for point in points:
        said = plain(point.text).casefold()
        if any(said in one or one in said for one in stale if one):
            continue
        if (point.mark, said) in told:
            continue
        told.add((point.mark, said))
        if point.mark in ("decided", "promised"):
            changes = signs_of(point.text).over.found(point.text)
            kept = [
                one
                for one in kept
                if not (one.mark == "open" or (changes and one.text != point.text))
                or not _alike(words[point.text], words[one.text])
            ]
        kept.append(point)
    return kept


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sentences speak of the same."""
    shared = len(one & other)
    return shared >= _FEWEST and shared >= _ALIKE * min(len(one), len(other))
