"""What the log tells of an erasing: what went, and which rows lost their content."""

import json
from collections.abc import Iterable, Iterator

from skill_agent.values import Purge

from .journal import Draft

ERASED = "log.purged"
"""Names the rows that were emptied; never emptied itself."""


def note_purges(
    draft: Draft, wanted: Purge, memories: list[str], messages: list[str], sessions: list[str]
) -> None:
    """A row for everything that goes."""
    for kind, ids in (("memory", memories), ("message", messages), ("session", sessions)):
        for name in ids:
            payload = {"old": None, "new": {}}
            draft.note(f"{kind}.purged", name, wanted.actor, wanted.reason, payload)


def note_emptied(draft: Draft, rows: Iterable[int], actor: str) -> None:
    """One row that names all that were emptied, by their sequences in order."""
    told = {"rows": [list(pair) for pair in ranges_of(rows)]}
    draft.note(ERASED, "log", actor, "", {"old": None, "new": told})


def emptied_by(payload: str | None) -> list[tuple[int, int]]:
    """Which rows an `ERASED` row says were emptied, as inclusive ranges."""
    try:
        return [(int(a), int(b)) for a, b in json.loads(payload or "")["new"]["rows"]]
    except (ValueError, TypeError, KeyError):
        return []


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as inclusive ranges: whole stretches of the log go together."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = last = number
        elif number == last + 1:
            last = number
        else:
            yield first, last
            first = last = number
    if first is not None and last is not None:
        yield first, last
