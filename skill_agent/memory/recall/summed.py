"""Summaries among what is found: memories that say again, in short, what was said at its place.

They never stand before what they were made from, unless a question asks for a stretch of time.
"""

from collections.abc import Sequence
from dataclasses import replace

from skill_agent.memory.words.when import Moment
from skill_agent.values import Found, Hit, Memory

SUMMARY = "summary."
"""How the subject of a summary begins."""
OF_SESSION, OF_MONTH = SUMMARIES = (f"{SUMMARY}session", f"{SUMMARY}month")
MOST = 3
"""Summaries that one question brings at most."""
_BEHIND = 0.99


def is_summary(subject: str | None) -> bool:
    return (subject or "").startswith(SUMMARY)


def made_from(memory: Memory) -> frozenset[str]:
    """Ids of the messages a summary was made from; empty for any other memory."""
    told = memory.metadata.get("messages", ()) if is_summary(memory.subject) else ()
    return frozenset(one for one in told if isinstance(one, str))


def placed(found: Sequence[Found], times: Sequence[Moment]) -> list[Found]:
    """What was found, best first: a summary of the time asked for before, any other behind what it
    might have been made from."""
    summed = [one for one in found if is_summary(one.hit.item.subject)]
    told = [one for one in found if not is_summary(one.hit.item.subject)]
    best = max((one.hit.score for one in told), default=1.0)
    least = min((one.hit.score for one in told if one.relevant), default=1.0) * _BEHIND
    asked = [one for one in summed if _is_of(one.hit, times)][:MOST]
    rest = [one for one in summed if one not in asked][: MOST - len(asked)]
    return [
        *(_scored(one, max(best, one.hit.score)) for one in asked),
        *sorted(
            [*told, *(_scored(one, min(least, one.hit.score)) for one in rest)],
            key=lambda one: -one.hit.score,
        ),
    ]


def _is_of(hit: Hit, times: Sequence[Moment]) -> bool:
    said = hit.item.created_at
    return any(one.start <= said < one.end for one in times)


def _scored(found: Found, score: float) -> Found:
    return replace(found, hit=replace(found.hit, score=score))
