"""What rows of the log are told as: events with the fields that receivers get.

An event is made from the ledger when it is sent, and kept nowhere else: what was erased meanwhile
is not there to be told any more. Its id follows from its row, so that a receiver which gets one
twice can tell.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from skill_agent.identifiers import iso
from skill_agent.ports import Ledger
from skill_agent.text.gate import tamed
from skill_agent.text.redaction import redact
from skill_agent.text.shaping import one_line
from skill_agent.values import (
    InboxItem,
    JobRun,
    LogEntry,
    Memory,
    Origin,
    SentEvent,
    WebhookEvent,
)

from .discretion import Discretion
from .noticing import ENDED, STATUSES

PREVIEW = 200
"""Characters of a preview."""
LONGEST_TEXT = 20_000
"""Characters of an item of the inbox that are sent."""
_LOOKED_AT = 4_000

RUN = "job.run"
"""Kind of the notes that runs of jobs are kept as."""
KINDS: Mapping[WebhookEvent, tuple[str, ...]] = MappingProxyType(
    {
        "conversation.created": ("session.created",),
        "conversation.completed": ("session.archived", ENDED),
        "message.created": ("message.saved",),
        "memory.created": ("memory.created",),
        "agent.status_changed": (STATUSES,),
        "job.completed": (RUN,),
        "job.failed": (RUN,),
    }
)
"""The rows that may have something to tell of each."""

NOTES = (RUN, STATUSES, ENDED)
"""Those among them that a person's export brings along."""

FindRun = Callable[[str], Awaitable[JobRun | None]]
"""A run of a job by its id, as it stands; None where there is none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something to be told."""

    id: str
    """`evt_…`"""
    event: SentEvent
    at: datetime
    fields: Mapping[str, Any]
    origins: tuple[Origin, ...] = ()

    def body(self, home: str) -> bytes:
        """What is sent; the same at every try."""
        told = {"event_id": self.id, "timestamp": iso(self.at), "home": home, **self.fields}
        return json.dumps(told, separators=(",", ":")).encode("ascii")


class Occasions:
    """Reads rows of the log as what is to be told of them."""

    def __init__(self, ledger: Ledger, user: str, find_run: FindRun) -> None:
        self._ledger, self._user, self._find_run = ledger, user, find_run
        self._discretion = Discretion(ledger)

    async def home(self) -> str:
        """A name of this home for others: it follows from the first row, and tells no path."""
        first = await self._ledger.log(limit=1)
        return f"home_{first[0].hash[:16]}" if first else "home_new"

    async def of(self, row: LogEntry, wanted: Sequence[WebhookEvent]) -> list[Occasion]:
        """Those of the wanted kinds; none for a row that was erased, or what is private."""
        found: list[Occasion] = []
        for event in wanted:
            if row.kind in KINDS[event]:
                found += await self._makers[event](self, row, event)
        return found

    async def item(self, item: InboxItem) -> Occasion | None:
        """An item of the inbox; None for one that is private."""
        if item.private or await self._discretion.hides_text(f"{item.title}\n{item.text}"):
            return None
        text = redact(tamed(item.text))
        fields = {
            "item_id": item.id,
            "title": preview(item.title),
            "text": text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…",
            "sort": item.sort,
            "agent_id": item.agent or None,
            "conversation_id": item.session,
            "job_id": item.job,
        }
        return Occasion(
            id=event_id("inbox.item", item.id),
            event="inbox.item",
            at=item.created_at,
            fields=fields,
            origins=item.origins,
        )

    async def _begun(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        said = row.new or {}
        if not said or said.get("archived"):  # a conversation in which an agent does a task
            return []
        fields = {
            "conversation_id": row.entity,
            "agent_slug": said.get("agent"),
            "user_id": self._user,
        }
        return [_occasion(row, event, fields)]

    async def _completed(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        if row.kind == ENDED:
            count, lasted = (row.new or {}).get("messages"), (row.new or {}).get("duration_s")
            if not isinstance(count, int) or not isinstance(lasted, int | float):
                return []
        else:
            session = await self._ledger.session(row.entity)
            if session is None or not session.messages:
                return []
            count = session.messages
            ends = await self._ledger.log(row.entity, kinds=(ENDED,))
            if any((one.new or {}).get("messages") == count for one in ends if one.seq < row.seq):
                return []  # it was told when nobody had spoken for long
            (last,) = await self._ledger.messages(row.entity, last=1)
            lasted = (last.created_at - session.created_at).total_seconds()
        fields = {
            "conversation_id": row.entity,
            "message_count": count,
            "duration_s": round(max(lasted, 0.0), 3),
        }
        return [_occasion(row, event, fields)]

    async def _said(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        """What a person and an agent say to one another; no tool's results, no task's talk."""
        message = await self._ledger.message(row.entity)
        if message is None or message.role not in ("user", "assistant"):
            return []
        if not message.content.strip() or await self._is_of_task(message.session):
            return []
        if await self._discretion.hides(message):
            return []
        fields = {
            "message_id": message.id,
            "conversation_id": message.session,
            "role": message.role,
            "content_preview": preview(message.content),
        }
        return [_occasion(row, event, fields, message.words_origins)]

    async def _is_of_task(self, session: str) -> bool:
        """Whether its conversation was never on the list: in it an agent does a task."""
        found = await self._ledger.session(session)
        if found is None or not found.archived:
            return found is None
        begun = await self._ledger.log(session, kinds=("session.created",), limit=1)
        return not begun or bool((begun[0].new or {}).get("archived"))

    async def _remembered(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        memory = await self._ledger.memory(row.entity) if row.new else None
        if memory is None or await self._is_kept_back(memory):
            return []
        fields = {
            "memory_id": memory.id,
            "memory_type": memory.memory_type,
            "content_preview": preview(memory.content),
            "importance": memory.importance,
        }
        return [_occasion(row, event, fields, memory.origins)]

    async def _is_kept_back(self, memory: Memory) -> bool:
        """Private, or forgotten before it was told."""
        if memory.memory_type == "agent_private" or memory.status == "archived":
            return True
        return await self._discretion.hides_text(memory.content)

    async def _restated(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        changed = (row.new or {}).get("changed")
        lines = changed if isinstance(changed, list) else []
        return [
            _occasion(
                row, event, dict(zip(("agent_id", "old_status", "new_status"), one, strict=True)),
                nth=n,
            )
            for n, one in enumerate(lines)
            if isinstance(one, list) and len(one) == 3
        ]  # fmt: skip

    async def _ran(self, row: LogEntry, event: WebhookEvent) -> list[Occasion]:
        """One that will be tried again has not ended, and an older claim has no say."""
        told = row.new or {}
        state, done = told.get("state"), event == "job.completed"
        if state not in (("completed",) if done else ("failed", "unknown")) or told.get("next_try"):
            return []
        run = await self._find_run(row.entity)
        if run is None or (run.state, run.fence) != (state, told.get("fence")):
            return []
        said = run.result if done else run.error or "nobody knows whether it was done"
        if await self._discretion.hides_text(said):
            said = ""
        name = "result_preview" if done else "error"
        fields = {"job_id": run.job, "agent_id": run.agent or None, name: preview(said)}
        occasion = _occasion(row, event, fields, run.origins)
        return [replace(occasion, id=event_id(event, run.id, run.fence, run.attempt))]

    _makers: Mapping[WebhookEvent, Callable[..., Awaitable[list[Occasion]]]] = MappingProxyType(
        {
            "conversation.created": _begun,
            "conversation.completed": _completed,
            "message.created": _said,
            "memory.created": _remembered,
            "agent.status_changed": _restated,
            "job.completed": _ran,
            "job.failed": _ran,
        }
    )


def event_id(*parts: object) -> str:
    """An id that follows from what it is of."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f"evt_{digest[:32]}"


def preview(text: str) -> str:
    """The beginning of a text on one line, without credentials and whatever reads as a control."""
    return one_line(redact(tamed(text[:_LOOKED_AT])), PREVIEW)


def _occasion(
    row: LogEntry,
    event: WebhookEvent,
    fields: Mapping[str, Any],
    origins: tuple[Origin, ...] = (),
    *,
    nth: int = 0,
) -> Occasion:
    return Occasion(
        id=event_id(row.hash, event, nth), event=event, at=row.at, fields=fields, origins=origins
    )
