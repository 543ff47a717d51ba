"""What is known in the ledger of approvals that wait: enough to tell what became of them.

The turn that asks ends with its process, so the next one can only withdraw what was left, and say
so. Of the arguments one masked line is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.events import ApprovalAnswered, ApprovalAsked
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.redaction import masked, masked_within
from skill_agent.values import LogEntry

KIND = "approval"
"""Of the note; its entity is the approval."""
_OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftApproval:
    """One that waited when the process ended."""

    id: str
    session: str
    agent: str
    what: str


async def note_asked(ledger: Ledger, event: ApprovalAsked) -> None:
    """Keeps that somebody is asked."""
    shown = replace(event, arguments=masked_within(event.arguments))
    data = {"session": event.session, "turn": event.turn, "state": "waiting"}
    data |= {"tool": event.tool, "what": masked(shown.line)}
    await ledger.note(KIND, event.approval, actor=event.agent, data=data)


async def note_answered(ledger: Ledger, event: ApprovalAnswered) -> None:
    """Keeps what was answered."""
    data = {"session": event.session, "turn": event.turn, "state": event.choice}
    data |= {"by": event.by, "words": masked(event.words)}
    await ledger.note(KIND, event.approval, actor=event.by or "host", data=data)


async def note_withdrawn(ledger: Ledger, approval: str, session: str) -> None:
    """Keeps that nobody waits for the answer any more."""
    data = {"session": session, "state": "withdrawn"}
    await ledger.note(KIND, approval, actor="host", data=data)


async def left_approvals(ledger: Ledger) -> list[LeftApproval]:
    """Those that were never settled."""
    found = (await ledger.projected(_APPROVALS, [_OPEN])).get(_OPEN, {})
    return [
        LeftApproval(id=name, session=told[0], agent=told[1], what=told[2])
        for name, told in sorted(found.items())
    ]


def _waiting(row: LogEntry) -> list[str] | None:
    """What a row says that waits; None for any other one."""
    told: Any = row.new
    if not isinstance(told, dict) or told.get("state") != "waiting":
        return None
    found = [told.get("session"), row.actor, told.get("what")]
    return [str(one) for one in found] if all(isinstance(one, str) for one in found) else None


def _keys(_row: LogEntry) -> Iterable[str]:
    return (_OPEN,)


def _step(_key: str, state: State | None, row: LogEntry) -> State:
    rest = {name: told for name, told in (state or {}).items() if name != row.entity}
    waits = _waiting(row)
    return rest if waits is None else {**rest, row.entity: waits}


_APPROVALS = Projection(name="approvals", version=1, kinds=(KIND,), keys=_keys, step=_step)
