"""What code says in place of a small model, and how often that may try.

By code: that something was kept, and that something was never told. Both are certain, cost no
token, and are what small models get wrong most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from skill_agent.memory.recall.question import is_reply
from skill_agent.memory.recall.summed import is_summary
from skill_agent.ports import ModelRequest
from skill_agent.turns.known import Kept, Offer, Recollection
from skill_agent.turns.manner import Manner
from skill_agent.values import Hit, IndexItem, Message, ModelProfile

from .guarding import Guard

TRIES = 2
TELLING = 13
"""Characters of an id that tell it from every other: its time to the millisecond."""
_ANYHOW = ("ask", "do", "chat")
"""Kinds to which code has no answer of its own."""
_SHORT = 160
"""Tokens of an answer to something told."""
_UNLIKE = {
    "dry_multiplier": 0.8,
    "dry_base": 1.75,
    "dry_allowed_length": 3,
    "dry_penalty_last_n": 1024,
}
"""Sampling by which llama.cpp keeps from repeating what it has read (DRY, "don't repeat
yourself")."""
_WARMER = 0.6


def by_code(
    manner: Manner,
    kept: Kept,
    recollection: Recollection | None,
    offer: Offer,
    *,
    said_before: bool,
) -> str:
    """The whole reply where no model is needed; "" where one is. `said_before` says that the
    person has said something in this conversation that might be meant."""
    if not manner.small or offer.tools or offer.foreign:
        return ""
    if kept.memories and kept.whole:
        undo = f"ska memory forget {kept.memories[-1].id[:TELLING]}"
        return manner.language.kept.format(undo=undo)
    nothing = recollection is not None and not (recollection.selection.hits or said_before)
    return manner.language.unknown if manner.unasked and nothing else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a small model's reply is watched, and what is done where it fails."""

    manner: Manner
    said: str
    told: tuple[str, ...]
    """Everything else the reply may speak from."""
    best: Hit | None = None
    """What most likely answers a question."""
    weak: bool = False
    """Nothing is surely about the question: an answer has to show where it is from."""
    computed: str = ""
    """Figures that the reply has to keep to."""

    def guard(self, attempt: int = 0) -> Guard:
        manner = self.manner
        free = manner.kind in _ANYHOW and not manner.personal and not self.computed
        return Guard(
            lenient=attempt > 0 and free,
            manner=self.manner,
            said=self.said,
            told=self.told,
            whole=self.weak,
            figures=bool(self.computed),
        )

    def opening(self, attempt: int, profile: ModelProfile) -> str:
        """A first sentence to go on from, where the model would not find one itself."""
        needed = self.manner.kind == "tell" and (attempt > 0 or not self.manner.fluent)
        return self.manner.opening(self.said) if needed and profile.continues else ""

    def request(
        self, request: ModelRequest, attempt: int, opening: str, profile: ModelProfile
    ) -> ModelRequest:
        """The request of one attempt."""
        most = request.max_tokens
        if self.manner.reacts:
            most = min(most, _SHORT)
        purpose = "retry" if attempt else request.purpose
        wanted = replace(request, max_tokens=most, opening=opening, purpose=purpose)
        if attempt and self.manner.hint:
            newest = request.messages[-1]
            again = replace(newest, content=f"{newest.content}\n\n{self.manner.hint}")
            wanted = replace(wanted, messages=(*request.messages[:-1], again))
        if attempt and profile.continues:
            unlike = _UNLIKE if self.manner.kind == "tell" else {}
            wanted = replace(wanted, overrides={**request.overrides, **unlike}, temperature=_WARMER)
        return wanted

    def instead(self) -> str:
        """What is said where every try went wrong."""
        language = self.manner.language
        if self.computed:
            return self.computed
        if self.manner.kind == "chat":
            return language.hello
        if not (self.manner.unasked or self.manner.personal):
            return language.noted
        if self.weak or self.best is None:
            return language.unknown
        return language.quote.format(text=self.best.item.text)


def watched(
    manner: Manner,
    said: str,
    history: Sequence[Message],
    recollection: Recollection | None,
    computed: str = "",
) -> Watch | None:
    """None where a reply is shown as it comes."""
    if not manner.small:
        return None
    hits = recollection.selection.hits if recollection else ()
    others = recollection.others if recollection else ()
    said_by_them = (hit for hit in hits if _is_theirs(hit.item) and hit.item.text not in others)
    known = recollection.always if recollection else ()
    return Watch(
        manner=manner,
        said=said,
        told=(computed, *_told(history), *(hit.item.text for hit in hits), *known),
        best=max(said_by_them, key=lambda hit: hit.score, default=None),
        weak=manner.unasked and recollection is not None and not recollection.sure,
        computed=computed,
    )


def _is_theirs(item: IndexItem) -> bool:
    """Whether it may be told them as what they said."""
    return not (is_reply(item) or is_summary(item.subject))


def _told(history: Sequence[Message]) -> list[str]:
    """What this conversation holds, without the dates and hours beside it."""
    return [one.content for one in history if one.role != "tool"]
