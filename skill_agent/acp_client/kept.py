"""What the ledger knows of a conversation with a program: ids and the folder, no words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

KIND = "outside.session"
"""Of the note; its entity is our conversation."""
_ERASED = "log.purged"
_PURGES = "*"
"""Under which the last purge is known."""
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
    """What was noted last; nothing where nothing was. A session that is older than a purge is not
    gone on with: the program knows there what was erased here."""
    states = await ledger.projected(_SESSIONS, [session, _PURGES])
    told: Any = states.get(session, {}).get(agent)
    if not isinstance(told, dict):
        return KeptSession()
    purged = states.get(_PURGES, {}).get("seq", 0)
    before = "" if told["seq"] < purged else told["id"]
    return KeptSession(id=before, program=told["program"], folder=told["folder"])


async def note_session(ledger: Ledger, session: str, agent: str, kept: KeptSession) -> None:
    """Keeps it; an id too long to be one is not kept, and the session begun anew next time."""
    told = kept.id if len(kept.id) <= _LONGEST else ""
    data = {"agent": agent, "id": told, "program": kept.program, "folder": kept.folder}
    await ledger.note(KIND, session, actor=agent, data=data)


def _keys(row: LogEntry) -> Iterable[str]:
    return (_PURGES if row.kind == _ERASED else row.entity,)


def _step(_key: str, state: State | None, row: LogEntry) -> State:
    if row.kind == _ERASED:
        return {"seq": row.seq}
    known, told = state or {}, row.new
    if not isinstance(told, dict) or not isinstance(agent := told.get("agent"), str):
        return known
    parts = {name: told.get(name) for name in ("id", "program", "folder")}
    found = {name: one if isinstance(one, str) else "" for name, one in parts.items()}
    return {**known, agent: {**found, "seq": row.seq}}


_SESSIONS = Projection(name="outside", version=2, kinds=(KIND, _ERASED), keys=_keys, step=_step)
