"""What one does to a memory from the memory screen: pin, correct, forget, erase, settle.

Each gives the memory as it is then, or None where nothing was written; what went wrong is told in
place. Which memory is meant, and showing the outcome, is the screen's business.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.values import Dispute, Memory, Message

from ..frame.agents import AgentList
from ..frame.page import Page
from .dialogs import EditDialog, EraseDialog, ForgetDialog
from .dispute_dialog import DisputeDialog

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


class MemoryActions:
    """The changes of one open home, asked for on one screen."""

    def __init__(self, runtime: "Workstation", screen: Page, agents: AgentList) -> None:
        self._runtime, self._screen, self._agents = runtime, screen, agents
        self._book = runtime.memory

    async def pin(self, memory: Memory) -> Memory | None:
        """Pins, or unpins what is pinned."""
        if memory.pinned:
            return await self._write(self._book.unpin(memory.id), "Unpinned")
        return await self._write(self._book.pin(memory.id), "Pinned: always in the prompt")

    async def restore(self, memory: Memory) -> Memory | None:
        if memory.status != "archived":
            self._screen.say("Only what was forgotten can be taken back.")
            return None
        return await self._write(self._book.restore(memory.id), "Taken back")

    async def forget(self, memory: Memory) -> Memory | None:
        if memory.status in ("archived", "superseded"):
            self._screen.say("It is out of every prompt already.")
            return None
        if not await self._screen.app.push_screen_wait(ForgetDialog(memory)):
            return None
        return await self._write(self._book.forget(memory.id), "Forgotten: r takes it back")

    async def erase(self, memory: Memory) -> Memory | None:
        """For ever, with all that repeats it; gives what it was."""
        eraser = self._runtime.eraser
        try:
            plan = await eraser.plan([memory.id])
            if not await self._screen.app.push_screen_wait(EraseDialog(plan)):
                return None
            self._screen.say("Erasing …")
            report = await eraser.erase([memory.id], expected=plan.digest)
        except SkillAgentError as error:
            self._screen.refuse(error)
            return None
        if report.problems:
            self._screen.notify(
                "\n".join(report.problems), title="Erased, but", severity="warning",
                markup=False, timeout=12,
            )  # fmt: skip
        else:
            self._screen.say("Erased for ever")
        return memory

    async def edit(self, memory: Memory) -> Memory | None:
        """A new version in its place."""
        if memory.superseded_by:
            self._screen.say("It has been replaced already; correct the newest version.")
            return None

        async def correct(content: str, reason: str) -> Memory:
            return await self._book.correct(memory.id, content, reason=reason)

        new = await self._screen.app.push_screen_wait(EditDialog(memory, correct))
        if new is not None:
            self._screen.say(f"Corrected: version {new.version}")
        return new

    async def settle(self, memory: Memory) -> Memory | None:
        """The person decides which side of a dispute is right."""
        try:
            dispute = await self._dispute_of(memory)
            said = await self._sentences(dispute) if dispute else {}
        except SkillAgentError as error:
            self._screen.refuse(error)
            return None
        if dispute is None:
            self._screen.say("Nothing contradicts this memory.")
            return None

        async def decide(memory_id: str, both: bool) -> list[Memory]:
            return await self._book.resolve(memory_id, both=both)

        dialog = DisputeDialog(dispute, sources=said, agents=self._agents, settle=decide)
        settled = await self._screen.app.push_screen_wait(dialog)
        if settled is not None:
            self._screen.say("Settled")
        return settled

    async def _dispute_of(self, memory: Memory) -> Dispute | None:
        for dispute in await self._book.disputes():
            if memory.id in {one.id for one in dispute.memories}:
                return dispute
        return None

    async def _sentences(self, dispute: Dispute) -> dict[str, list[Message]]:
        """What each memory was made from."""
        wanted = [one for memory in dispute.memories for one in memory.source.message_ids]
        said = await self._runtime.conversations.messages_by_id(wanted)
        return {
            memory.id: [said[one] for one in memory.source.message_ids if one in said]
            for memory in dispute.memories
        }

    async def _write(self, write: Awaitable[Memory], done: str) -> Memory | None:
        try:
            written = await write
        except SkillAgentError as error:
            self._screen.refuse(error)
            return None
        self._screen.say(done)
        return written
