"""What the ledger keeps of messages between agents: one note each, and one for what was read.

An inbox holds ids alone. The texts stay in the notes, where a purge of their conversation, or of
the words themselves, empties them; such a message is gone from every inbox.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from skill_agent.identifiers import iso
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import MESSAGE_TYPES, ORIGINS, AgentMessage, LogEntry

WRITTEN, READ = "team.message", "team.message.read"
HELD = 200
"""An inbox lists its newest ones; older ones stay in the log until they are erased."""
COUNTED = 60
"""Moments of an agent's last messages that are kept in mind, to count those of an hour."""


async def note_message(ledger: Ledger, message: AgentMessage, recipients: Sequence[str]) -> None:
    """Keeps a message; `session` in its metadata is the conversation with which it goes."""
    told = {**message.metadata}
    session = told.pop("session", None)
    data: dict[str, Any] = {
        "to": message.to,
        "recipients": list(recipients),
        "channel": message.channel,
        "type": message.message_type,
        "content": message.content,
        "metadata": told,
        "origins": list(message.origins),
    }
    if session:
        data["session"] = session
    await ledger.note(WRITTEN, message.id, actor=message.sender, data=data)


async def note_read(ledger: Ledger, agent: str, ids: Sequence[str]) -> None:
    """Marks messages as read by their agent."""
    if ids:
        await ledger.note(READ, agent, actor=agent, data={"messages": list(ids)})


async def held(ledger: Ledger, agent: str) -> list[tuple[str, str | None]]:
    """The ids of an agent's messages with the moment each was read; the oldest first."""
    found = await ledger.projected(_MAIL, [_inbox(agent)])
    return [(one, read) for one, read in found.get(_inbox(agent), {}).get("held", ())]


async def sent_since(ledger: Ledger, sender: str, since: datetime) -> int:
    """How many messages somebody wrote since a moment, as far as they are counted."""
    found = await ledger.projected(_MAIL, [_outbox(sender)])
    return sum(one >= iso(since) for one in found.get(_outbox(sender), {}).get("at", ()))


async def message_of(ledger: Ledger, key: str, read: str | None) -> AgentMessage | None:
    """A message by its id; None for one that was erased."""
    rows = await ledger.log(key, kinds=(WRITTEN,), limit=1)
    said = rows[0].new if rows else None
    if not said or not isinstance(said.get("content"), str):
        return None
    origins = said.get("origins") or ()
    kind = said.get("type")
    return AgentMessage(
        id=key,
        sender=rows[0].actor,
        to=said.get("to"),
        channel=str(said.get("channel") or "direct"),
        message_type=kind if kind in MESSAGE_TYPES else "notification",
        content=said["content"],
        metadata={**(said.get("metadata") or {}), **_session(said)},
        origins=tuple(one for one in ORIGINS if one in origins),
        created_at=rows[0].at,
        read_at=datetime.fromisoformat(read) if read else None,
    )


def _session(said: dict[str, Any]) -> dict[str, Any]:
    return {"session": said["session"]} if said.get("session") else {}


def _inbox(agent: str) -> str:
    return f"in {agent}"


def _outbox(sender: str) -> str:
    return f"out {sender}"


def _keys(row: LogEntry) -> Iterable[str]:
    """Of a row that was erased nobody knows any more whom it was for."""
    if row.kind == READ:
        return (_inbox(row.entity),)
    to = (row.new or {}).get("recipients")
    names = [one for one in to if isinstance(one, str)] if isinstance(to, list) else []
    return (_outbox(row.actor), *(_inbox(one) for one in names))


def _step(key: str, state: State | None, row: LogEntry) -> State:
    known = state or {}
    if key == _outbox(row.actor) and row.kind == WRITTEN:
        return {"at": [*known.get("at", ()), iso(row.at)][-COUNTED:]}
    lines = known.get("held", [])
    if row.kind == WRITTEN:
        return {"held": [*lines, [row.entity, None]][-HELD:]}
    ids = (row.new or {}).get("messages")
    read = ids if isinstance(ids, list) else ()
    moment = iso(row.at)
    return {"held": [[one, at or (moment if one in read else None)] for one, at in lines]}


_MAIL = Projection(name="mail", version=1, kinds=(WRITTEN, READ), keys=_keys, step=_step)
