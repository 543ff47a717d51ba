"""What a newer memory is to an earlier one, as far as it is certain in any language.

Nothing here reads or writes a store, nor asks a model: what is left open, `asking` puts to one.
"""

from dataclasses import dataclass, replace
from typing import Literal

from skill_agent.memory.recall.links import true_beside
from skill_agent.memory.words.retold import says_the_same
from skill_agent.memory.words.subjects import is_single_valued
from skill_agent.text.sameness import marks
from skill_agent.values import Memory, MemoryType

from .difference import figures_of, named, one_slot, telling, uncounted
from .signs import Signs, signs_of

Action = Literal["same", "supersede", "dispute", "update", "wait", "coexist"]
"""`update`: both stand, and the newer one is shown as what holds now; `wait`: it may be so."""

GATE, FAR = 0.45, 0.28
"""Cosines of bare texts: below the first two statements are hardly about the same unless they name
the same, below the other never."""
FACTS: tuple[MemoryType, ...] = ("semantic", "user_profile", "episodic", "shared")
SAYS = "it says that something changed"
"""The reason of an update without more in common; it can concern one earlier memory only."""
_NAMED = 2
_PROTECTED_PIN = 9
_LONGEST = 600
"""Characters beyond which a text is no single statement."""
_COVERED, _DENIED = 0.99, 0.6
"""Shares of an earlier statement's telling words that one has to name which ends or denies it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What two memories are to each other, seen from the newer one."""

    action: Action
    reason: str
    open: bool = False
    """They may be about the same, and nothing certain tells; a model might."""


def comparable(new: Memory, old: Memory, user: str) -> bool:
    """Same owner and kinds that can be about the same; `user` is whom unscoped memories concern."""
    if new.id == old.id or old.status not in ("active", "disputed"):
        return False
    if new.agent != old.agent or (new.user or user) != (old.user or user):
        return False
    if "system" in (new.source_type, old.source_type):
        return False  # what has happened here is no statement that another one could replace
    if true_beside(new, old):
        return False
    return new.memory_type == old.memory_type or {new.memory_type, old.memory_type} <= set(FACTS)


def seen_together(new: Memory, old: Memory, user: str) -> bool:
    """Whether somebody reads both, though they are not of one owner: one of them is everybody's,
    and the person's whom the other concerns."""
    if "agent_private" in (new.memory_type, old.memory_type) or None not in (new.agent, old.agent):
        return False
    return comparable(replace(new, agent=old.agent), old, user)


def of_others(new: Memory, old: Memory) -> bool:
    """Whether somebody wrote of the new one who had no part in the old one."""
    return bool({*new.origins} - {*old.origins})


def protected(old: Memory, new: Memory) -> bool:
    """Whether the other must not replace it: mere reading replaces neither identity nor what a
    person pinned or said so, and what somebody else wrote nothing that they did not."""
    if of_others(new, old):
        return True
    if new.source_type not in ("extraction", "consolidation"):
        return False
    by_person = old.source_type != "extraction" or old.importance < _PROTECTED_PIN
    return old.memory_type == "identity" or (old.pinned and by_person)


def judge_by_rules(new: Memory, old: Memory, *, cosine: float, changes: bool) -> Judgement:
    """What the words alone say; owners are the caller's to compare (`comparable`). `changes` says
    that the new one is known to replace something."""
    if says_the_same(old.content, new.content):
        return Judgement(action="same", reason="the same words")
    if max(len(old.content), len(new.content)) > _LONGEST:
        return Judgement(action="coexist", reason="too long to be compared by words")
    near = cosine > GATE or (new.subject is not None and new.subject == old.subject)
    signs = signs_of(old.content, new.content)
    over = changes or signs.over.found(new.content)
    if (signs.beside(new.content) and not over) or signs.apart(old.content, new.content):
        return Judgement(action="coexist", reason="it says that it is so beside something else")
    slot = one_slot(signs.bare(old.content), signs.bare(new.content)) or one_slot(
        old.content, new.content
    )
    if (found := _denied(new, old, signs, over=over)) and (near or slot):
        return _settled(*found, new, old)
    single = new.subject == old.subject and is_single_valued(new.subject)
    # Where both tell of a change, each tells of its own: two doors replaced are two doors.
    if slot and (single or changes or (over and not signs.over.found(old.content))):
        return _settled("supersede", "it names another value", new, old)
    if slot and signs.now.found(new.content):
        return _settled("update", "the same sentence with another value", new, old)
    if slot and slot.counts(signs.figures) and "episodic" not in (new.memory_type, old.memory_type):
        return _settled("wait", "the same sentence with another number or day", new, old)
    named_alike = cosine > FAR and _shares(new, old, near=near)
    if single or (over and not slot and named_alike):
        return _settled("update", SAYS, new, old)
    if near and signs.now.found(new.content) and _same_measure(new, old):
        return _settled("update", "it names another number for the same", new, old)
    return Judgement(action="coexist", reason="both can be true", open=near or bool(slot))


def _denied(new: Memory, old: Memory, signs: Signs, *, over: bool) -> tuple[Action, str] | None:
    """One says of the same that it is so, the other that it is not."""
    if signs.deny.found(new.content) == signs.deny.found(old.content):
        return None
    before, after = (telling(signs.deny.without(signs.bare(one.content))) for one in (old, new))
    if not before or not after:
        return None
    common = len(before & after)
    if over and common / len(before) >= _COVERED and not _unsaid(old, new):
        return "supersede", "it says that the earlier one is over"
    if common / len(before | after) >= _DENIED:
        return "dispute", "one denies the other"
    return None


def _shares(new: Memory, old: Memory, *, near: bool) -> bool:
    """Whether the new one speaks of something the old one is about: by any word where they are near
    anyway, by a name or figure otherwise."""
    common = telling(new.content) & telling(old.content)
    return bool(common if near else common & (named(new.content) | named(old.content)))


def _same_measure(new: Memory, old: Memory) -> bool:
    """Whether both give a number for what they name in at least two words, and not the same one."""
    before, after = figures_of(old.content), figures_of(new.content)
    common = telling(uncounted(new.content)) & telling(uncounted(old.content))
    return bool(before and after and not after <= before) and len(common) >= _NAMED


def _unsaid(old: Memory, new: Memory) -> bool:
    """What words leave out of a text: what is over of "C" is not over of "C++"."""
    signs = [{one for one in marks(text.content) if not one.isalnum()} for text in (old, new)]
    return bool(signs[0] - signs[1])


def _settled(action: Action, why: str, new: Memory, old: Memory) -> Judgement:
    """Nothing gives way to what is older, nor what is protected."""
    if action == "supersede" and (new.created_at < old.created_at or protected(old, new)):
        return Judgement(action="dispute", reason=f"{why}, and the other one must not give way")
    if action == "update" and of_others(new, old):
        action = "wait"  # nobody else says of a person's words that they hold no longer
    if action in ("update", "wait") and new.created_at < old.created_at:
        return Judgement(action="coexist", reason=why)
    return Judgement(action=action, reason=why)
