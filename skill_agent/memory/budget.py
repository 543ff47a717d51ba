"""Choosing which recalled items enter the prompt; pure, the counting of tokens is passed in."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from skill_agent.prompt import estimate_tokens, recall_line
from skill_agent.values import Hit

PINNED_TOKENS = 300
"""Reserved for pinned memories before anything competes by score."""
FAR_BEHIND = 0.5
"""Share of the best hit's relevance below which a hit is not worth its tokens."""
_PARTS = ("semantic",)
"""The whole of relevance; its parts say more as a reason."""
ALREADY = "already in this conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What enters the prompt, best first, each hit with its reason filled in."""

    hits: tuple[Hit, ...]
    tokens: int
    budget: int
    present: tuple[Hit, ...] = ()
    """Relevant too, but already standing in an earlier message of this conversation."""


def select(
    hits: Sequence[Hit],
    *,
    budget: int,
    floor: float,
    present: Collection[str] = (),
    count: Callable[[str], int] = estimate_tokens,
) -> Selection:
    """Pinned items within their reserve, then by score until the budget is spent.

    Items in `present` cost nothing and are not sent again. Pinned items past the reserve must
    be relevant like any other: a person may pin hundreds.
    """
    standing = tuple(replace(h, reason=ALREADY) for h in hits if h.item.id in present)
    hits = [hit for hit in hits if hit.item.id not in present]
    sizes = {hit.item.id: count(recall_line(hit.item)) for hit in hits}
    chosen: dict[str, Hit] = {}
    spent = 0
    for hit in sorted((h for h in hits if h.item.pinned), key=_relevance, reverse=True):
        if spent + sizes[hit.item.id] <= min(PINNED_TOKENS, budget):
            chosen[hit.item.id] = replace(hit, reason="pinned")
            spent += sizes[hit.item.id]
    bar = max(floor, FAR_BEHIND * max((_relevance(hit) for hit in hits), default=0.0))
    for hit in sorted(hits, key=lambda h: (h.score, _relevance(h)), reverse=True):
        if hit.item.id in chosen or _relevance(hit) < bar:
            continue
        if spent + sizes[hit.item.id] <= budget:
            chosen[hit.item.id] = replace(hit, reason=hit.reason or _strongest(hit))
            spent += sizes[hit.item.id]
    ranked = tuple(sorted(chosen.values(), key=lambda hit: hit.score, reverse=True))
    return Selection(hits=ranked, tokens=spent, budget=budget, present=standing)


def _relevance(hit: Hit) -> float:
    """What the question itself has to do with the item, without pins and age."""
    return max(hit.signals.get("semantic", hit.score), hit.signals.get("relationship", 0.0))


def _strongest(hit: Hit) -> str:
    """The signal that spoke loudest, in words."""
    named = {name: value for name, value in hit.signals.items() if name not in _PARTS}
    if not named:
        return "relevant"
    name = max(named, key=lambda key: named[key])
    return f"relevant ({name.replace('_', ' ')} {named[name]:.2f})"
