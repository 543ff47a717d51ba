"""What an agent is told of itself: it is found in conversations, and becomes part of who the agent
is with a person's yes only."""

from collections.abc import Callable
from dataclasses import replace

from skill_agent.errors import UsageError
from skill_agent.ports import Ledger
from skill_agent.values import Memory, MemoryFilter

from .standing import vouched

OF_AGENT = "agent.identity"
"""Subject of a sentence in which a person told the agent who it is."""
_LIVE = ("active", "disputed")

Memories = list[Memory]  # `list` is a method of the book


class Selves:
    """A person's say about who agents are, for whoever can read and change memories."""

    _ledger: Ledger

    async def _alter(
        self,
        memory_id: str,
        kind: str,
        change: Callable[[Memory], Memory],
        actor: str,
        reason: str = "",
    ) -> Memory:
        raise NotImplementedError

    async def selves(self) -> Memories:
        """What agents were told of themselves and nobody has said yes to, the newest first."""
        wanted = MemoryFilter(subject=OF_AGENT, statuses=_LIVE, memory_types=("semantic",))
        return await self._ledger.memories(wanted)

    async def adopt(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Makes it part of who its agent is, always in its prompt. Raises UsageError for what is no
        one agent's, or no longer stands."""
        return await self._alter(memory_id, "memory.adopted", adopted, actor)


def adopted(memory: Memory) -> Memory:
    """Identity of its agent, and the person vouches for its words."""
    if memory.memory_type == "identity":
        return memory
    if memory.agent is None or memory.status not in _LIVE:
        why = "is no one agent's" if memory.agent is None else f"is {memory.status}"
        raise UsageError(f"memory {memory.id} {why}", hint=f"ska memory show {memory.id}")
    return replace(vouched(memory), memory_type="identity", pinned=True, tier="hot")
