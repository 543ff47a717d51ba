"""What work is handed while it is done: where it says how far it is, and asks a person."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

from skill_agent.ports import Progress
from skill_agent.values import Answer, AnswerAction, NewQuestion, Requester, Work

from .running import Running


class Step:
    """One try of a piece of work. Whoever is cancelled with one in hand finds in `stopping` why."""

    def __init__(
        self,
        running: Running,
        *,
        told: Callable[[Running], None],
        asks: Callable[[Running, NewQuestion], Awaitable[Answer]],
    ) -> None:
        self._running, self._told, self._asks = running, told, asks
        self._loop = asyncio.get_running_loop()

    @property
    def work(self) -> Work:
        return self._running.kept.work

    @property
    def requester(self) -> Requester | None:
        """Whose API key asked for it."""
        return self._running.requester

    @property
    def marks(self) -> dict[str, Any]:
        """What an earlier try kept."""
        return self._running.kept.marks

    @property
    def stopping(self) -> str:
        """`pause`, `cancel` or `close`, once it is to end; empty before."""
        return self._running.stopping

    def keep(self, **marks: Any) -> None:
        """Plain values for the next try. They are written down with the next change of state: after
        a kill they may be those of before."""
        self._running.mark(marks)

    def tell(self, done: int, total: int, what: str) -> None:
        """How far it is, as a `Progress`; a total of 0 is unknown. From the loop's own thread."""
        self.part(0.0, 1.0)(done, total, what)

    def part(self, begin: float, end: float) -> Progress:
        """A `Progress` that is a part of the whole."""

        def progress(done: int, total: int, what: str) -> None:
            share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
            message = f"{what}: {done:,} of {total:,}" if total > 0 else f"{what}: {done:,}"
            self._running.change(progress=begin + (end - begin) * share, message=message)
            self._told(self._running)

        return progress

    async def point(self, done: int = 0, total: int = 0, what: str = "") -> None:
        """A check point: here at the latest it is paused or stopped. Something said is told."""
        if what or total:
            self.tell(done, total, what)
        await asyncio.sleep(0)

    async def ask(
        self, name: str, text: str, *, detail: str = "", default: AnswerAction = "cancel",
        timeout_s: float = 86_400.0,
    ) -> Answer:  # fmt: skip
        """Asks a person and waits, while others have its place. `name` tells the questions of this
        work apart: asked again by it, as after a restart, it is the same question."""
        work = self.work
        question = NewQuestion(
            text=text,
            detail=detail,
            source="work",
            about=work.id,
            default=default,
            timeout_s=timeout_s,
            agent=work.agent,
            session=work.session,
            asker=work.by or None,
            key=str(uuid5(UUID(work.id), name)),
        )
        return await self._asks(self._running, question)
