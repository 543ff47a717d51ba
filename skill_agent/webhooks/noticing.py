"""Notes of what leaves no row of its own: agents that were paused, conversations that have ended.

`agents.toml` may be edited by hand, or while no host runs; a conversation ends by nobody speaking
in it. Both are looked at only while a webhook wants to hear of them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import ConfigError
from skill_agent.memory.summaries.keeping import IDLE
from skill_agent.ports import Clock, Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, Session

STATUSES = "agents.status"
"""Kind of the note of how agents stand; its entity is `agents`."""
ENDED = "conversation.ended"
"""Kind of the note that nobody has spoken in a conversation for a while; its entity is that."""
EVERY = timedelta(minutes=1)
"""Ended conversations are looked for no more often."""
_ALL = "agents"
_PAGE = 100


class Noticing:
    """Looks at what is to be told, and notes it."""

    def __init__(self, ledger: Ledger, clock: Clock, directory: AgentDirectory) -> None:
        self._ledger, self._clock, self._directory = ledger, clock, directory
        self._statuses: dict[str, str] | None = None
        self._looked: datetime | None = None
        self._through: datetime | None = None
        """What ended up to then is noted."""

    async def baseline(self) -> None:
        """From now on changes of agents are noticed; what changed before is none."""
        await self._note(self._now(), [])

    async def agents(self) -> None:
        """Notes which agents have another status than at the last look."""
        if self._statuses is None:
            known = await self._ledger.projected(_STATUSES, [_ALL])
            found = known.get(_ALL, {}).get("statuses")
            self._statuses = {**found} if isinstance(found, dict) else {}
        now = self._now()
        if now == self._statuses:
            return
        changed = [
            [slug, old, now[slug]]
            for slug, old in self._statuses.items()
            if slug in now and now[slug] != old
        ]
        await self._note(now, changed)

    async def conversations(self, since: datetime) -> None:
        """Notes which conversations ended after a moment and are not noted yet."""
        now = self._clock()
        if self._looked is not None and self._looked <= now < self._looked + EVERY:
            return
        self._looked = now
        first, last = max(since, self._through or since), now - IDLE
        for one in reversed(await self._quiet(first, last)):
            (message,) = await self._ledger.messages(one.id, last=1)
            lasted = (message.created_at - one.created_at).total_seconds()
            data = {"session": one.id, "messages": one.messages, "duration_s": max(lasted, 0.0)}
            await self._ledger.note(ENDED, one.id, actor="webhooks", data=data)
        self._through = max(first, last)

    async def _quiet(self, first: datetime, last: datetime) -> list[Session]:
        """Conversations whose last word was said between two moments, and whose end is no news."""
        found: list[Session] = []
        at: tuple[datetime, str] | None = None
        while page := await self._ledger.sessions(limit=_PAGE, before=at):
            found += [one for one in page if first < one.updated_at <= last and one.messages]
            at = page[-1].updated_at, page[-1].id
            if page[-1].updated_at <= first:
                break
        known = await self._ledger.projected(_ENDS, [one.id for one in found]) if found else {}
        return [one for one in found if known.get(one.id, {}).get("messages") != one.messages]

    def _now(self) -> dict[str, str]:
        """While the file has mistakes, what was known holds."""
        try:
            return {one.slug: one.status for one in self._directory.list()}
        except ConfigError:
            return {**(self._statuses or {})}

    async def _note(self, now: dict[str, str], changed: list[list[str]]) -> None:
        data: dict[str, Any] = {"statuses": now, "changed": changed}
        await self._ledger.note(STATUSES, _ALL, actor="webhooks", data=data)
        self._statuses = now


def _keys(row: LogEntry) -> Iterable[str]:
    return (row.entity,)


def _last(_key: str, _state: State | None, row: LogEntry) -> State:
    return row.new or {}


_STATUSES = Projection(name="agent_statuses", version=1, kinds=(STATUSES,), keys=_keys, step=_last)
_ENDS = Projection(name="conversation_ends", version=1, kinds=(ENDED,), keys=_keys, step=_last)
