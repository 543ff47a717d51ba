"""Who, beside the person, wrote what stands in a turn's prompt.

It belongs to the prompt, not to the loop: a turn begins with what its conversation was told before,
and takes on what is recalled and what tools give.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skill_agent.ports import Ledger
from skill_agent.values import Hit, Memory, Message, Origin, all_origins

WORDS: dict[Origin, str] = {
    "pipe": "a pipe",
    "file": "a file",
    "paste": "something pasted",
    "client": "a client program",
    "web": "the web",
    "tool": "a tool",
    "import": "an import",
    "agent": "another agent",
    "skill": "a skill that was not approved",
}


@dataclass(slots=True)
class Taint:
    """Of one turn; it only grows."""

    origins: tuple[Origin, ...] = ()

    def add(self, origins: Iterable[Origin]) -> None:
        self.origins = all_origins(self.origins, origins)

    @property
    def line(self) -> str:
        """Why a call is asked about; empty where nothing but the person's words is there."""
        if not self.origins:
            return ""
        return f"text from {in_words(self.origins)} is in the prompt"


def in_words(origins: Sequence[Origin]) -> str:
    """Who they are, as a person or a model reads it."""
    *some, last = (WORDS[one] for one in origins)
    return " and ".join(filter(None, (", ".join(some), last)))


def of_conversation(messages: Iterable[Message]) -> tuple[Origin, ...]:
    """All of it counts, also what was summed up or no longer fits: later replies rest on it."""
    return all_origins(*(one.origins for one in messages))


async def of_found(
    ledger: Ledger, hits: Sequence[Hit], known: Mapping[str, Memory]
) -> tuple[Origin, ...]:
    """Of what was found; `known` are memories at hand. The words of a person are their own,
    whatever came beside them."""
    ids = [hit.item.id for hit in hits if hit.item.id not in known]
    memories = {**known, **await ledger.memories_by_id(ids)} if ids else known
    messages = await ledger.messages_by_id([one for one in ids if one not in memories])
    return all_origins(
        *(one.origins for one in memories.values()),
        *(one.words_origins for one in messages.values()),
    )
