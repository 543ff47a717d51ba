"""Who, beside the person, wrote what stands in a turn's prompt.

It belongs to the prompt, not to the loop: a turn begins with what its conversation was told before,
and takes on what is recalled and what tools give.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skill_agent.ports import Ledger
from skill_agent.values import Hit, Memory, Message, Origin, all_origins


@dataclass(slots=True)
class Taint:
    """Of one turn; it only grows."""

    origins: tuple[Origin, ...] = ()

    def add(self, origins: Iterable[Origin]) -> None:
        self.origins = all_origins(self.origins, origins)


def of_conversation(messages: Iterable[Message]) -> tuple[Origin, ...]:
    """All of it counts, also what was summed up or no longer fits: later replies rest on it."""
    return all_origins(*(one.origins for one in messages))


async def origins_by_id(
    ledger: Ledger, hits: Sequence[Hit], known: Mapping[str, Memory]
) -> dict[str, tuple[Origin, ...]]:
    """Who wrote of each thing found; `known` are memories at hand. The words of a person are their
    own, whatever came beside them."""
    ids = [hit.item.id for hit in hits if hit.item.id not in known]
    memories = {**known, **await ledger.memories_by_id(ids)} if ids else known
    messages = await ledger.messages_by_id([one for one in ids if one not in memories])
    return {
        **{one.id: one.origins for one in memories.values()},
        **{one.id: one.words_origins for one in messages.values()},
    }
