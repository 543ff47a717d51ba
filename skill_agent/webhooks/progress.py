"""How far each webhook has got, as the ledger keeps it: small notes, folded by webhook.

They say which events were sent and what came of them, by ids and figures alone: what was sent
stands where it always stood. A note is written when something came of a try, never while nothing
happens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import WEBHOOK_EVENTS, DeliveryState, LogEntry, WebhookDelivery

PROGRESS = "webhook.progress"
"""Kind of the note; its entity is the webhook."""
LINES = 100
"""So many of what was sent last can be looked up."""
_EVENTS = (*WEBHOOK_EVENTS, "inbox.item", "webhook.test")
_KNOWN: dict[str, type | tuple[type, ...]] = {
    "up_to": int,
    "head": str,
    "attempts": int,
    "next_try": (str, type(None)),
    "failing": bool,
    "problem": str,
    "failed": int,
    "dropped": int,
    "taken_at": str,
}
"""What a note may say anew, beside its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a webhook fares."""

    up_to: int = 0
    """What the log says up to this row was told, or is nothing to tell."""
    head: str = ""
    """The event that was tried and is tried again."""
    attempts: int = 0
    next_try: datetime | None = None
    failing: bool = False
    problem: str = ""
    failed: int = 0
    """How often it began to fail."""
    dropped: int = 0
    taken_at: datetime | None = None
    lines: tuple[WebhookDelivery, ...] = ()
    """What was sent last, the oldest first."""

    def waits(self, now: datetime) -> bool:
        return self.failing or (self.next_try is not None and now < self.next_try)


async def note(
    ledger: Ledger, hook: str, *, lines: Sequence[WebhookDelivery] = (), **said: Any
) -> None:
    """Writes down what is new with a webhook; moments as such."""
    data: dict[str, Any] = {
        name: iso(one) if isinstance(one, datetime) else one for name, one in said.items()
    }
    if lines:
        data["lines"] = [_record(one) for one in lines]
    await ledger.note(PROGRESS, hook, actor="webhooks", data=data)


async def progress_of(ledger: Ledger, hooks: Sequence[str]) -> dict[str, Progress]:
    """By webhook; one of which nothing is known has not begun."""
    states = await ledger.projected(_PROGRESS, hooks) if hooks else {}
    return {one: _progress(one, states.get(one, {})) for one in hooks}


def _progress(hook: str, state: State) -> Progress:
    lines = (_line(hook, one) for one in state.get("log", ()))
    plain: dict[str, Any] = {name: state[name] for name in _KNOWN.keys() & state.keys()}
    moments = {name: _moment(state.get(name)) for name in _MOMENTS}
    return Progress(**{**plain, **moments, "lines": tuple(filter(None, lines))})


_MOMENTS = ("next_try", "taken_at")


def _moment(text: object) -> datetime | None:
    try:
        return parse_time(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def _record(one: WebhookDelivery) -> dict[str, Any]:
    told = {
        "id": one.id,
        "event": one.event,
        "state": one.state,
        "attempts": one.attempts,
        "status": one.status,
        "error": one.error,
        "created_at": iso(one.created_at),
        "next_try": iso(one.next_try) if one.next_try else None,
        "delivered_at": iso(one.delivered_at) if one.delivered_at else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def _line(hook: str, said: dict[str, Any]) -> WebhookDelivery | None:
    created, status = _moment(said.get("created_at")), said.get("status")
    if created is None or said.get("event") not in _EVENTS:
        return None
    if said.get("state") not in get_args(DeliveryState):
        return None
    return WebhookDelivery(
        id=str(said.get("id")),
        webhook=hook,
        event=said["event"],
        state=said["state"],
        attempts=_count(said.get("attempts")),
        status=status if isinstance(status, int) else None,
        error=str(said.get("error", "")),
        next_try=_moment(said.get("next_try")),
        created_at=created,
        delivered_at=_moment(said.get("delivered_at")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _keys(row: LogEntry) -> Iterable[str]:
    return (row.entity,)


def _step(_hook: str, state: State | None, row: LogEntry) -> State:
    """`dropped` and `failed` are counted up; whatever is not of its kind is passed over."""
    known, said = state or {}, row.new or {}
    new: State = {**known}
    for name, kind in _KNOWN.items():
        if name in said and _is_sound(said[name], kind):
            counted = known.get(name, 0) if name in ("dropped", "failed") else 0
            new[name] = said[name] + counted if counted else said[name]
    lines = said.get("lines")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict):
            rest = [one for one in new.get("log", []) if one.get("id") != line.get("id")]
            new["log"] = [*rest, line][-LINES:]
    return new


def _is_sound(value: object, kind: type | tuple[type, ...]) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value < 2**62
    return isinstance(value, kind)


_PROGRESS = Projection(name="webhooks", version=1, kinds=(PROGRESS,), keys=_keys, step=_step)
