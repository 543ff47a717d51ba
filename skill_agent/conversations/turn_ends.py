"""How turns ended, as the ledger keeps it: one note a turn, found again by the turn's id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import FailureReason, Finish, LogEntry, Message, Note, TurnState

from .turn_states import folded

ENDED = "turn_ended"
"""Kind of the note; its entity is the turn."""
_LONGEST = 2_000
"""Characters of what is kept of a provider's words, and of each notice."""


async def note_end(
    ledger: Ledger,
    event: TurnFinished | TurnFailed,
    notices: Sequence[str] = (),
    saved: Sequence[str] = (),
) -> None:
    """Writes down how a turn ended, with the warnings that were told during it and the ids of what
    it put into memory."""
    data: dict[str, Any] = {"session": event.session, "message_id": event.message_id}
    if isinstance(event, TurnFinished):
        data |= {"state": "finished", "finish": event.finish}
    else:
        data |= {"state": "failed", "reason": event.reason}
        data |= {"problem": event.message[:_LONGEST], "hint": event.hint[:_LONGEST]}
    if notices:
        data["notices"] = [one[:_LONGEST] for one in notices]
    if saved:
        data["saved"] = [*saved]
    await ledger.note(ENDED, event.turn, actor=event.agent, data=data)


async def state_of(ledger: Ledger, messages: Sequence[Message]) -> TurnState | None:
    """What became of the turn whose messages these are; None without a person's message."""
    turns = list(dict.fromkeys(one.turn for one in messages))
    ends = await ledger.projected(_ENDS, turns)
    return _state(messages, ends.get(turns[0])) if turns else None


async def states_in(
    ledger: Ledger, session: str, *, last: int = 0, after: int = -1, limit: int = 0
) -> list[TurnState]:
    """What became of each turn of a conversation, in order; of those that have a message in what
    `last`, `after` and `limit` leave of it."""
    turns: dict[str, list[Message]] = {}
    for message in await ledger.messages(session, last=last, after=after, limit=limit):
        turns.setdefault(message.turn, []).append(message)
    if last > 0 or after >= 0 or limit > 0:
        for turn in [turn for turn, messages in turns.items() if _may_be_cut(messages)]:
            turns[turn] = [one for one in await ledger.turn(turn) if one.session == session]
    ends = await ledger.projected(_ENDS, list(turns))
    found = (_state(messages, ends.get(turn)) for turn, messages in turns.items())
    return [one for one in found if one is not None]


async def ends_for(
    ledger: Ledger, turns: Mapping[str, str], messages: Mapping[str, str], session: str
) -> list[Note]:
    """How turns ended, told of their copies in another conversation; both by id of the original.
    What they put into memory is the original's."""
    ends = await ledger.projected(_ENDS, list(turns))
    return [
        Note(
            kind=ENDED,
            entity=turns[turn],
            actor="person",
            at=parse_time(end["at"]),
            data={
                **{name: value for name, value in end.items() if name not in ("at", "saved")},
                "session": session,
                "message_id": messages.get(_text(end.get("message_id"))),
            },
        )
        for turn, end in ends.items()
        if "at" in end
    ]


def _may_be_cut(messages: Sequence[Message]) -> bool:
    known = folded(messages)
    return known is None or known.state != "finished"


def _state(messages: Sequence[Message], end: State | None) -> TurnState | None:
    known = folded(messages)
    if known is None or not end:
        return known
    told = replace(
        known,
        message_id=_text(end.get("message_id")) or known.message_id,
        notices=tuple(str(one) for one in end.get("notices") or ()),
        saved=tuple(str(one) for one in end.get("saved") or ()),
        ended_at=parse_time(end["at"]) if "at" in end else None,
    )
    if end.get("state") == "finished":
        finish = end.get("finish")
        known_finish = finish if finish in get_args(Finish) else "stop"
        return replace(told, state="finished", finish=cast(Finish, known_finish))
    reason = end.get("reason")
    return replace(
        told,
        state="failed",
        reason=cast(FailureReason, reason if reason in get_args(FailureReason) else "error"),
        problem=_text(end.get("problem")),
        hint=_text(end.get("hint")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _step(_turn: str, _state: State | None, row: LogEntry) -> State:
    return {**row.new, "at": iso(row.at)} if row.new else {}


def _keys(row: LogEntry) -> tuple[str, ...]:
    return (row.entity,)


_ENDS = Projection(name="turn_ends", version=1, kinds=(ENDED,), keys=_keys, step=_step)
