"""What the person asks for beside the talking: titles, agents, ratings, figures, approvals.

Each shows its outcome, or says why there is none.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from skill_agent.errors import Conflict, NotFound, SkillAgentError
from skill_agent.events import Choice, MemoryRecalled, RecalledItem
from skill_agent.identifiers import iso
from skill_agent.values import Rating, Session
from skill_agent.workstation.branches import running, work_of

from ..inbox.entries import count_waiting
from ..jobs.in_brief import in_brief
from .display import FigureDisplay
from .shown.asides import WorkBlock
from .shown.reply import ReplyBlock, in_words

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_PAUSE = 0.1
"""Seconds of quiet before work is counted; a task has several states in a moment."""


class Asking:
    """One open home, asked on behalf of one screen."""

    def __init__(self, runtime: "Workstation", display: FigureDisplay) -> None:
        self._runtime, self._display = runtime, display

    async def rename(self, session_id: str, title: str, *, shown: bool) -> Session | None:
        """The renamed conversation; None, with the reason shown, where it was refused."""
        try:
            renamed = await self._runtime.conversations.rename(session_id, title)
        except SkillAgentError as error:
            self._display.notify(error.message, severity="error", markup=False)
            return None
        if shown:
            self._display.became(renamed)
        return renamed

    async def use_agent(self, session_id: str, slug: str) -> None:
        """The conversation's agent, from its next message on."""
        try:
            await self._runtime.conversations.set_agent(session_id, slug)
        except SkillAgentError as error:
            await self._display.show_error("The agent was not changed", error)

    async def use_model(self, slug: str, model: str) -> bool:
        """The agent's model from its next turn on; whether it was kept."""
        try:
            await self._runtime.agents.set_model(slug, model)
        except SkillAgentError as error:
            await self._display.show_error("The model was not changed", error)
            return False
        return True

    async def look_up_model(self, slug: str, model: str | None = None) -> None:
        """Shows the model that would answer and the window that is really loaded; `model` is one
        that was chosen for the talk."""
        try:
            info = await self._runtime.models.info(slug, model)
        except SkillAgentError as error:
            self._display.set_model("no model", 0)
            self._display.notify(error.hint or error.message, title=error.message, markup=False)
            return
        self._display.set_model(info.name, info.context_window)

    async def rate(self, reply: ReplyBlock, message_id: str, rating: Rating) -> None:
        """Keeps what the person thinks of a reply, and shows it on the block once it is kept."""
        try:
            outcome = await self._runtime.feedback.rate(message_id, rating)
        except SkillAgentError as error:
            self._display.notify(
                error.hint or "", title=error.message, severity="error", markup=False
            )
            return
        reply.rating = rating
        self._display.notify(in_words(rating, outcome), timeout=3, markup=False)

    async def sources(self, turn: str, ids: Sequence[str]) -> MemoryRecalled:
        """What was remembered for a reply, as it is kept now; what is gone is left out."""
        items: list[RecalledItem] = []
        try:
            said = await self._runtime.conversations.messages_by_id(list(ids))
        except SkillAgentError:
            said = {}
        for one in ids:
            if one in said:
                message = said[one]
                items.append(_item(one, "turn", message.content, message.created_at))
                continue
            with suppress(SkillAgentError):
                memory = await self._runtime.memory.get(one)
                kind = memory.memory_type
                items.append(_item(one, "memory", memory.content, memory.created_at, kind))
        return MemoryRecalled(
            session="", turn=turn, agent="", items=tuple(items), tokens=0, budget=0, seconds=0.0,
            told=len(ids),
        )  # fmt: skip

    async def fill_work(self, block: WorkBlock) -> None:
        """What came of a piece of team work, into its block."""
        with suppress(SkillAgentError):
            block.fill((await self._runtime.tasks.get(block.work)).result)
            return
        with suppress(SkillAgentError):
            block.fill((await self._runtime.collaborations.get(block.work)).final_output)

    async def before(self, message_id: str) -> str:
        """The message before one of a conversation; empty where it is the first.

        Raises SkillAgentError.
        """
        found = (await self._runtime.conversations.messages_by_id([message_id])).get(message_id)
        if found is None:
            raise NotFound("that message is not kept")
        if not found.position:
            return ""
        until = await self._runtime.conversations.messages(
            found.session, after=found.position - 2, limit=1
        )
        return until[0].id if until else ""

    async def count_disputes(self) -> None:
        """Counts what waits for a decision, for the status line."""
        try:
            disputes = await self._runtime.memory.disputes()
        except SkillAgentError:
            return  # the memory screen tells why, where one looks
        self._display.set_disputed(len(disputes))

    async def count_work(self) -> None:
        """Counts what the team is at, for the status line."""
        await asyncio.sleep(_PAUSE)
        try:
            found = await work_of(self._runtime)
        except SkillAgentError:
            return  # the team screen tells why, where one looks
        self._display.set_at_work(running(found))

    async def count_inbox(self) -> None:
        """Counts all that waits for the person, for the status line."""
        await asyncio.sleep(_PAUSE)
        try:
            waiting = await count_waiting(self._runtime)
        except SkillAgentError:
            return  # the inbox tells why, where one looks
        self._display.set_waiting(waiting)

    async def count_today(self) -> None:
        """Adds up what today has cost, for the status line."""
        await asyncio.sleep(_PAUSE)
        try:
            totals = await self._runtime.figures.usage()
        except SkillAgentError:
            return  # the page of figures tells why, where one looks
        self._display.set_today(totals.today)

    async def count_background(self) -> None:
        """Looks what is done in the background, for the status line."""
        await asyncio.sleep(_PAUSE)
        try:
            found = await self._runtime.work.list(ended=False)
        except SkillAgentError:
            return  # the screen of work tells why, where one looks
        self._display.set_background(in_brief(found))

    async def answer(self, approval: str, choice: Choice, words: str = "") -> None:
        """Answers a tool's request; one that waits no longer goes from the screen."""
        if not await self._runtime.approvals.answer(approval, choice, words=words):
            self._display.approvals.settle(approval)

    async def look_for_questions(self) -> None:
        """Shows what waits for the person."""
        try:
            self._display.questions.only(await self._runtime.questions.list())
        except SkillAgentError:
            return  # it is looked again when the home is found

    async def answer_question(self, question: str, words: str) -> None:
        """Answers a question; where the words do not, it goes on waiting."""
        bar = self._display.questions
        try:
            await self._runtime.questions.answer(question, words, by="the window")
        except (Conflict, NotFound) as late:
            self._display.notify(late.message, severity="warning", markup=False)
        except SkillAgentError as error:
            bar.refuse(f"{error.message}. {error.hint or ''}")
            return
        bar.settle(question)


def _item(
    name: str, kind: str, content: str, at: datetime, memory_type: str | None = None
) -> RecalledItem:
    """Why it was taken is not kept."""
    return RecalledItem(
        id=name, kind=kind, content=content, score=0.0, signals={}, reason="",
        memory_type=memory_type, created_at=iso(at),
    )  # fmt: skip
