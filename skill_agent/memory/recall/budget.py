"""Choosing which recalled items enter the prompt; pure, the sizes in tokens are passed in.

What is relevant at all was decided where it was ranked: see `ranking.chosen`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from skill_agent.memory.words.stemming import words
from skill_agent.text.sameness import marks
from skill_agent.text.shaping import estimate_tokens
from skill_agent.values import Hit, IndexItem

from .told import recall_line

PINNED_TOKENS = 300
"""Reserved for pinned memories before anything competes by score."""
_SHORT = 3
"""Letters of a word whose last one is no plural's."""
_PARTS = ("semantic", "second")
"""The whole of relevance; its parts say more as a reason."""
PINNED, ALREADY = "pinned", "already in this conversation"
NO_ROOM, AGAIN = "no room left for it", "another one says the same"
UNLIKE = "too little to do with the message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What enters the prompt, best first, each hit with its reason filled in."""

    hits: tuple[Hit, ...]
    tokens: int
    budget: int
    present: tuple[Hit, ...] = ()
    """Relevant too, but already standing in an earlier message of this conversation."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Why others were not chosen, and how many for that."""


def select(
    hits: Sequence[Hit],
    *,
    budget: int,
    floor: float,
    present: Collection[str] = (),
    sizes: Mapping[str, int] | None = None,
) -> Selection:
    """Pinned items within their reserve, then by score until the budget is spent.

    Items in `present` cost nothing and are not sent again. Pinned items past the reserve must
    be relevant like any other: a person may pin hundreds. Of items that say the same the best is
    taken. `sizes` are tokens by item id; what is missing there is estimated.
    """
    standing = tuple(replace(h, reason=ALREADY) for h in hits if h.item.id in present)
    chosen: dict[str, Hit] = {}
    refused: dict[str, str] = {}
    said = [_Said.of(hit.item) for hit in standing]
    spent = 0

    def take(hit: Hit, reason: str) -> None:
        nonlocal spent
        known = (sizes or {}).get(hit.item.id)
        size = estimate_tokens(recall_line(hit.item)) if known is None else known
        room = min(PINNED_TOKENS, budget) if reason == PINNED else budget
        if spent + size > room:
            refused[hit.item.id] = NO_ROOM
            return
        mine = _Said.of(hit.item)
        if any(map(mine.again, said)):
            refused[hit.item.id] = AGAIN
        else:
            refused.pop(hit.item.id, None)
            chosen[hit.item.id] = replace(hit, reason=reason)
            said.append(mine)
            spent += size

    fresh = [hit for hit in hits if hit.item.id not in present]
    for hit in sorted((h for h in fresh if h.item.pinned), key=_by_score):
        take(hit, PINNED)
    for hit in sorted((h for h in fresh if h.item.id not in chosen), key=_by_score):
        if evidence_of(hit) >= floor:
            take(hit, hit.reason or _strongest(hit))
        else:
            refused[hit.item.id] = UNLIKE
    ranked = tuple(sorted(chosen.values(), key=_by_score))
    return Selection(
        hits=ranked,
        tokens=spent,
        budget=budget,
        present=standing,
        left_out=Counter(refused.values()),
    )


def _by_score(hit: Hit) -> tuple[float, float]:
    return -hit.score, -hit.signals.get("semantic", 0.0)


def evidence_of(hit: Hit) -> float:
    """What the question itself has to do with the item, without pins and age."""
    return max(hit.signals.get("evidence", hit.score), hit.signals.get("linked", 0.0))


@dataclass(frozen=True, slots=True)
class _Said:
    """An item's text taken apart, to be held against others."""

    item: IndexItem
    forms: tuple[str, ...]
    """Its words in order, each in the form that plurals share."""
    marks: Counter[str]

    @classmethod
    def of(cls, item: IndexItem) -> "_Said":
        return cls(item, tuple(map(_form, words(item.text))), marks(item.text))

    def again(self, other: "_Said") -> bool:
        """The same words but for plurals, the same in every sign, and no quarrel between them."""
        if "disputed" in (self.item.status, other.item.status):
            return False
        return (self.forms, self.marks) == (other.forms, other.marks)


def _form(word: str) -> str:
    return word.removesuffix("s") if len(word) > _SHORT else word


def _strongest(hit: Hit) -> str:
    """The signal that spoke loudest, in words."""
    named = {name: value for name, value in hit.signals.items() if name not in _PARTS}
    if not named:
        return "relevant"
    name = max(named, key=lambda key: named[key])
    return f"relevant ({name.replace('_', ' ')} {named[name]:.2f})"
