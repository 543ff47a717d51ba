"""One turn of an agent on behalf of a task, from its request to its outcome."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.ports import Ledger
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import FailureReason, Finish, Origin, TurnRequest, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a nested turn. Either `finish` or `reason` is set."""

    session: str
    turn: str
    text: str
    """The reply, or what there was of it."""
    usage: Usage
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what it read: they go with the text."""
    finish: Finish | None = None
    reason: FailureReason | None = None
    problem: str = ""
    denied: str = ""
    """The tool of a call that nobody allowed."""


async def nested(
    turns: TurnOperations,
    ledger: Ledger,
    request: TurnRequest,
    *,
    begun: Callable[[], Awaitable[object]] | None = None,
) -> Outcome:
    """Runs a turn to its end and never raises for its failure; cancelled, it ends the turn first.
    `begun` is called once it runs. Raises what `turns.submit` raises where it cannot begin."""
    session = turn = denied = ""
    asked: dict[str, str] = {}
    async with aclosing(turns.ask(request)) as events:
        async for event in events:
            match event:
                case TurnStarted():
                    session, turn = event.session, event.turn
                    if begun is not None:
                        await begun()
                case ApprovalAsked():
                    asked[event.approval] = event.tool
                case ApprovalAnswered() if event.choice == "deny":
                    denied = denied or asked.get(event.approval, "a call")
                case TurnFinished():
                    origins = await _origins(ledger, event.message_id)
                    return Outcome(
                        session=event.session,
                        turn=event.turn,
                        text=event.text,
                        usage=event.usage,
                        origins=origins,
                        finish=event.finish,
                        denied=denied,
                    )
                case TurnFailed():
                    origins = await _origins(ledger, event.message_id)
                    return Outcome(
                        session=event.session,
                        turn=event.turn,
                        text=event.text,
                        usage=event.usage or Usage(),
                        origins=origins,
                        reason=event.reason,
                        problem=event.message,
                        denied=denied,
                    )
                case _:
                    pass
    raise SkillAgentError(f"turn {turn or '?'} of session {session or '?'} ended without an end")


async def _origins(ledger: Ledger, message_id: str | None) -> tuple[Origin, ...]:
    if message_id is None:
        return ()
    found = await ledger.messages_by_id([message_id])
    return found[message_id].origins if message_id in found else ()
