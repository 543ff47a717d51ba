"""What the ledger knows of a conversation with a program: ids and the folder, no words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

KIND = "outside.session"
"""Of the note; its entity is our conversation."""
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """One agent's, in one conversation."""

    id: str = ""
    """The program's own id of it."""
    program: str = ""
    folder: str = ""
    """Where it works; "" where nowhere."""


async def kept_session(ledger: Ledger, session: str, agent: str) -> KeptSession:
    """What was noted last; nothing where nothing was."""
    state = (await ledger.projected(_SESSIONS, [session])).get(session, {})
    told: Any = state.get(agent)
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        return KeptSession()
    return KeptSession(id=told[0], program=told[1], folder=told[2])


async def note_session(ledger: Ledger, session: str, agent: str, kept: KeptSession) -> None:
    """Keeps it; an id too long to be one is not kept, and the session begun anew next time."""
    told = kept.id if len(kept.id) <= _LONGEST else ""
    data = {"agent": agent, "id": told, "program": kept.program, "folder": kept.folder}
    await ledger.note(KIND, session, actor=agent, data=data)


def _keys(row: LogEntry) -> Iterable[str]:
    return (row.entity,)


def _step(_key: str, state: State | None, row: LogEntry) -> State:
    known, told = state or {}, row.new
    if not isinstance(told, dict) or not isinstance(agent := told.get("agent"), str):
        return known
    found = [told.get(name) for name in ("id", "program", "folder")]
    return {**known, agent: [one if isinstance(one, str) else "" for one in found]}


_SESSIONS = Projection(name="outside", version=1, kinds=(KIND,), keys=_keys, step=_step)
