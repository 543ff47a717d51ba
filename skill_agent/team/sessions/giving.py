"""The result of a collaboration: put together where nobody else could, completed by what code knows
of it, and given to a conversation.
"""

from collections.abc import Sequence
from dataclasses import replace

from skill_agent.conversations.requesters import note_requester
from skill_agent.conversations.sessions import title_of
from skill_agent.conversations.turn_ends import note_end
from skill_agent.conversations.usage import usd
from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.values import (
    Collaboration,
    FailureReason,
    Message,
    Origin,
    Requester,
    Session,
    StageOutput,
    TurnRequest,
    Usage,
    all_origins,
)

from .patterns import Result, missing_in, readable
from .wording import sections
from .work import Work


def worded(work: Work, result: Result) -> str:
    """The result as the person reads it; empty where nobody gave anything.

    Whoever contributed is named: where the text does not, by a line of ours.
    """
    text = _body(work, result)
    if not text:
        return ""
    told = [text, *result.remarks]
    unnamed = _unnamed(work, result, text)
    missing, wording = missing_in(work), work.wording
    if unnamed:
        told.append(wording.line("contributions", people=", ".join(map(work.name, unnamed))))
    if missing:
        told.append(wording.line("missing", people=missing))
    if limit := _limit(work):
        told.append(wording.line(work.capped or "", limit=limit))
    return "\n\n".join(told)


def _body(work: Work, result: Result) -> str:
    if text := result.text.strip():
        if result.author == work.state.lead:
            return text
        return f"{work.wording.line('by', who=work.name(result.author))}\n{text}"
    pieces = [(work.name(one.agent_slug), readable(one.output)) for one in newest(work.state)]
    return sections(pieces, work.wording.line("by", who="{who}"))


def newest(one: Collaboration) -> list[StageOutput]:
    """What each agent gave last, in the order in which they began; a plan is no result."""
    found: dict[str, StageOutput] = {}
    for output in one.stage_outputs:
        if output.output.strip() and output.stage != "plan":
            found[output.agent_slug] = output
    return [*found.values()]


def _unnamed(work: Work, result: Result, text: str) -> list[str]:
    if not result.text.strip():
        return []
    gave = dict.fromkeys(one.agent_slug for one in newest(work.state))
    others = [slug for slug in gave if slug != result.author]
    return [slug for slug in others if work.people[slug][0].name not in text]


def _limit(work: Work) -> str:
    match work.capped:
        case "money":
            return usd(work.state.max_cost_usd)
        case "time":
            return work.wording.line("s", n=f"{work.state.max_duration_s:g}")
        case None:
            return ""


def all_read(work: Work) -> tuple[Origin, ...]:
    """Who, beside the person, wrote what the result came of."""
    one = work.state
    return all_origins(one.origins, ("agent",), *(each.origins for each in one.stage_outputs))


# -- its conversation ------------------------------------------------------------------------------


class Giving:
    """Puts goals and results into conversations."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def begin(self, one: Collaboration, by: Requester | None) -> None:
        """The goal as the person's message, which begins a conversation where there is none. What
        a turn or an agent asked for stands in that turn already. Once, also after a crash."""
        name = one.conversation or ""
        if await self._ledger.turn(one.id):
            return
        request = TurnRequest(one.goal, requester=by)
        begins = await self._ledger.session(name) is None
        await note_requester(self._ledger, request, turn=one.id, session=name, begins=begins)
        others: tuple[Origin, ...] = () if request.keeps else ("client",)
        asked = self._message(one, "user", one.goal, all_origins(one.origins, others))
        if begins:
            now = self._clock()
            session = Session(
                id=name,
                title=title_of(one.goal),
                agent=one.lead,
                created_at=now,
                updated_at=now,
            )
            await self._ledger.begin_session(session, asked)
        elif one.parent_turn is None and one.parent_task is None:
            await self._ledger.save_message(asked)

    async def give(self, one: Collaboration, text: str, origins: Sequence[Origin]) -> str:
        """The result as the lead's message; gives its id. Once, also after a crash."""
        for message in await self._ledger.turn(one.id):
            if message.role == "assistant" and message.content == text:
                return message.id
        usage = Usage(completion_tokens=one.total_tokens, cost_usd=one.total_cost_usd)
        reply = self._message(one, "assistant", text, origins)
        await self._ledger.save_message(replace(reply, usage=usage))
        return reply.id

    async def end(self, one: Collaboration, message: str, reason: FailureReason) -> None:
        """How it ended, as of a turn; `reason` where there is no message."""
        session = one.conversation or ""
        if message:
            event: TurnFinished | TurnFailed = TurnFinished(
                session=session,
                turn=one.id,
                agent=one.lead,
                message_id=message,
                text=one.final_output,
                usage=Usage(),
            )
        else:
            event = TurnFailed(
                session=session, turn=one.id, agent=one.lead, reason=reason, message=one.error
            )
        await note_end(self._ledger, event)

    def _message(
        self, one: Collaboration, role: str, text: str, origins: Sequence[Origin]
    ) -> Message:
        return Message(
            id=new_id(),
            session=one.conversation or "",
            turn=one.id,
            role="user" if role == "user" else "assistant",
            content=text,
            created_at=self._clock(),
            agent=one.lead,
            origins=tuple(origins),
        )
