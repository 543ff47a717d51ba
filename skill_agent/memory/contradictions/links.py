"""Which memories a new one has to do with: of the same subject, out of the same message, or alike
and naming the same.

Links are shown to a person and change nothing in recall. A reason is of our words, never theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from skill_agent.memory.recall.links import LINKS, links_of
from skill_agent.memory.recall.summed import is_summary
from skill_agent.values import Memory

from .comparing import Near
from .difference import named

MOST = 5
_NEAREST, _SAME = 0.45, 0.95
"""Cosines between which two memories are about the same and do not say the same."""
_LIVE = ("active", "disputed")


def linked(memory: Memory, near: Sequence[Near], others: Mapping[str, Memory]) -> Memory:
    """The memory with links to the nearest it has to do with; as it is where there are none."""
    ranked = sorted(near, key=lambda one: -one.cosine)
    found: dict[str, str] = {}
    for one in ranked:
        other = others.get(one.id)
        if other is None or other.id in memory.related_to or not _may(memory, other):
            continue
        if reason := _reason(memory, other, one.cosine):
            found[other.id] = reason
    kept = dict([*found.items()][:MOST])
    if not kept:
        return memory
    links = {**links_of(memory), **kept}
    return replace(
        memory,
        related_to=(*memory.related_to, *kept),
        metadata={**memory.metadata, LINKS: links},
    )


def _may(memory: Memory, other: Memory) -> bool:
    """Whether whoever reads one may read the other, and both stand."""
    if other.status not in _LIVE or memory.id in other.related_to or is_summary(other.subject):
        return False
    private = "agent_private" in (memory.memory_type, other.memory_type)
    return memory.agent == other.agent or (None in (memory.agent, other.agent) and not private)


def _reason(memory: Memory, other: Memory, cosine: float) -> str:
    if memory.subject and memory.subject == other.subject:
        return "of the same subject"
    if {*memory.source.message_ids} & {*other.source.message_ids}:
        return "said in the same message"
    if _NEAREST < cosine < _SAME and named(memory.content) & named(other.content):
        return "they name the same"
    return ""
