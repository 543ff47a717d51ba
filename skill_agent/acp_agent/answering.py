"""One prompt, answered: its turn begun, told, and ended as the protocol ends it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType

from acp.interfaces import Client
from acp.schema import Cost, PromptResponse, SessionInfoUpdate, StopReason, UsageUpdate
from acp.schema import Usage as UsageTold

from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Event, TurnFailed, TurnFinished
from skill_agent.identifiers import iso
from skill_agent.text.shaping import one_line
from skill_agent.values import Finish, TurnRequest, Usage
from skill_agent.workstation import Workstation

from .folders import Folders
from .line import EditorLine
from .permissions import Permissions
from .prompts import Prompt
from .refusals import refusal
from .talks import Running, Talk, conversation_of
from .telling import Telling
from .texts import shown

_STOPS: Mapping[Finish, StopReason] = MappingProxyType(
    {
        "stop": "end_turn",
        "cut": "end_turn",
        "tool_calls": "end_turn",
        "length": "max_tokens",
        "filtered": "refusal",
        "limit": "max_turn_requests",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What prompts are answered with."""

    station: Workstation
    client: Client
    line: EditorLine
    folders: Folders

    async def answer(self, talk: Talk, prompt: Prompt, running: Running) -> PromptResponse:
        """Raises what the turn could not be begun for, and a RequestError where it went wrong; what
        was said by then stays said."""
        permissions = Permissions(self.station.approvals, self.client, self.line, talk.id)
        telling = Telling(self.client, talk.id, str(talk.folder), permissions)
        for line in prompt.left_out:
            await telling.note(line)
        try:
            end = await self._turn(talk, _request(talk, prompt, running.turn), running, telling)
        finally:
            await permissions.close()
            await self._settled(talk)
        if isinstance(end, TurnFinished):
            await self._figures(talk, end.agent, end.usage)
            return PromptResponse(stop_reason=_STOPS[end.finish], usage=_usage(end.usage))
        if end is None or end.reason == "cancelled" or running.cancelled:
            usage = _usage(end.usage) if end and end.usage else None
            return PromptResponse(stop_reason="cancelled", usage=usage)
        raise refusal(end.message or f"the reply failed: {end.reason}", end.hint, reason=end.reason)

    async def _turn(
        self, talk: Talk, request: TurnRequest, running: Running, telling: Telling
    ) -> TurnFinished | TurnFailed | None:
        """How it ended; None where it was cancelled before it could tell."""
        turns, over = self.station.turns, False
        with turns.subscribe(turn=running.turn) as events:
            try:
                async with self._hearing_colleagues(running.turn, telling):
                    await turns.submit(request)
                    talk.begun = True
                    if running.cancelled:  # it was not there to be stopped when that was asked
                        await turns.cancel(running.turn)
                    async for event in events:
                        over = isinstance(event, TurnFinished | TurnFailed)
                        await telling.tell(event)
                        if isinstance(event, TurnFinished | TurnFailed):
                            return event
            finally:
                if not over:
                    with suppress(SkillAgentError):
                        await turns.cancel(running.turn)
        if running.cancelled:
            return None
        raise refusal("the home was closed meanwhile", "ask again; your message is saved")

    @asynccontextmanager
    async def _hearing_colleagues(self, turn: str, telling: Telling) -> AsyncIterator[None]:
        """Meanwhile what agents ask for who work for this turn is asked in the editor, too."""
        with self.station.turns.subscribe() as events:
            hearing = asyncio.create_task(
                _hear(events, turn, telling), name=f"colleagues of {turn}"
            )
            try:
                yield
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)

    async def _settled(self, talk: Talk) -> None:
        """What the editor lists it under from now on; a conversation that began although its answer
        was lost has begun all the same."""
        try:
            session = await conversation_of(self.station, talk.id)
        except NotFound:
            talk.begun = False
            return
        except SkillAgentError:  # the prompt's own end tells what is wrong
            return
        talk.begun = True
        self.folders.keep(talk.id, str(talk.folder))
        title = one_line(shown(session.title, 400), 200)
        told = SessionInfoUpdate(
            session_update="session_info_update", title=title, updated_at=iso(session.updated_at)
        )
        with suppress(ConnectionError):  # the editor is gone, which ends us
            await self.client.session_update(talk.id, told)

    async def _figures(self, talk: Talk, agent: str, usage: Usage) -> None:
        """How full the window is, and what the session has cost."""
        talk.spent_usd += usage.cost_usd
        try:
            window = (await self.station.models.info(agent, talk.model or None)).context_window
        except SkillAgentError:
            return
        if not window:
            return
        used = min(usage.prompt_tokens + usage.completion_tokens, window)
        cost = Cost(amount=round(talk.spent_usd, 6), currency="USD") if talk.spent_usd else None
        told = UsageUpdate(session_update="usage_update", used=used, size=window, cost=cost)
        await self.client.session_update(talk.id, told)


async def _hear(events: AsyncIterator[Event], turn: str, telling: Telling) -> None:
    family = {turn}
    async for event in events:
        if event.parent in family:
            family.add(event.turn)
            if isinstance(event, ApprovalAsked | ApprovalAnswered):
                await telling.tell(event)


def _request(talk: Talk, prompt: Prompt, turn: str) -> TurnRequest:
    return TurnRequest(
        prompt.words,
        session=talk.conversation,
        begins="" if talk.begun else talk.id,
        agent=talk.choices.agent(talk.mode),
        model=talk.model or None,
        key=turn,
        images=tuple(prompt.images),
        attachments=tuple(prompt.attachments),
        folder=str(talk.folder) if talk.folder.is_dir() else "",
    )


def _usage(usage: Usage) -> UsageTold:
    return UsageTold(
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_read_tokens=usage.cached_tokens,
    )
