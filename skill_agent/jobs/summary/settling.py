"""What of a day's points still holds at its end: what was said later is compared by its words."""

from collections.abc import Sequence

from skill_agent.memory.contradictions.signs import signs_of
from skill_agent.memory.words.stemming import stems
from skill_agent.text.sameness import plain
from skill_agent.values import SummaryPoint

_ALIKE = 0.6
"""Share of the shorter one's word stems from which on two sentences speak of the same."""
_FEWEST = 2


def standing(points: Sequence[SummaryPoint], replaced: Sequence[str] = ()) -> list[SummaryPoint]:
    """The points, in their order, without what was said again, what was settled, and what was said
    to be otherwise later; `replaced` is what memory knows to hold no longer."""
    stale = [plain(one).casefold() for one in replaced]
    kept: list[SummaryPoint] = []
    for point in points:
        said = plain(point.text).casefold()
        if any(said in one or one in said for one in stale if one):
            continue
        again = [one for one in kept if _same(one, point)]
        kept = [one for one in kept if not _settles(point, one)]
        if not again:
            kept.append(point)
    return kept


def _same(one: SummaryPoint, other: SummaryPoint) -> bool:
    return one.mark == other.mark and plain(one.text).casefold() == plain(other.text).casefold()


def _settles(later: SummaryPoint, earlier: SummaryPoint) -> bool:
    """Whether what was open is decided, or what was decided or promised is changed."""
    if later.mark not in ("decided", "promised") or not _alike(later.text, earlier.text):
        return False
    if earlier.mark == "open":
        return True
    return later.text != earlier.text and signs_of(later.text).over.found(later.text)


def _alike(one: str, other: str) -> bool:
    first, second = set(stems(one)), set(stems(other))
    shared = len(first & second)
    return shared >= _FEWEST and shared >= _ALIKE * min(len(first), len(second))
