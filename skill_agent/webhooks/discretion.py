"""What never leaves by a webhook: private memories, whatever repeats one, and private turns."""

from skill_agent.memory.aloud import not_aloud
from skill_agent.memory.remembrances import is_private
from skill_agent.memory.words.phrases import Finder
from skill_agent.ports import Ledger
from skill_agent.values import MemoryFilter, Message

_MOST = 1_000


class Discretion:
    """Looks before something is told outside."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def hides_text(self, text: str) -> bool:
        """Whether it says that it is for one agent's ears, or repeats a memory that is."""
        if not text.strip():
            return False
        if is_private(text):
            return True
        wanted = MemoryFilter(memory_types=("agent_private",), limit=_MOST)
        kept = await self._ledger.memories(wanted)
        return bool(kept) and Finder([one.content for one in kept])(text)

    async def hides(self, message: Message) -> bool:
        """Whether a message, or the turn that it belongs to, is private, or made of what is."""
        turn = await self._ledger.turn(message.turn)
        if any(one.role == "user" and is_private(one.content) for one in turn):
            return True
        if await self.hides_text(message.content):
            return True
        return message.id in await not_aloud(self._ledger, turn)
