"""From when to when a summary goes, by the clock of the person it is for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from skill_agent.errors import UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.clock import local
from skill_agent.values import LogEntry

KIND = "summary.made"
"""Of the note that says how far a job's summaries go; its entity is the job. No text of anybody's
stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """[since, until), UTC, and the zone whose days are meant."""

    since: datetime
    until: datetime
    zone: str = ""

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise UsageError(
                f"a summary cannot begin at {iso(self.since)} and end at {iso(self.until)}",
                hint="--since before --until",
            )

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


def midnight(moment: datetime, zone: str = "") -> datetime:
    """When the day of a moment began there; where clocks skip midnight, the first minute of it."""
    there = local(moment, zone)
    begun = there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return begun.astimezone(UTC)


def today(now: datetime, zone: str = "") -> Span:
    """The day so far; just after midnight, the day before."""
    since = midnight(now, zone)
    return Span(since=since if since < now else since - timedelta(days=1), until=now, zone=zone)


class Coverage:
    """What the summaries of each job cover, one after another and without a gap."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def next(
        self, job: str, run: str, *, first: datetime, now: datetime, zone: str
    ) -> Span | None:
        """From where the one before ended, and for the first one from the `first` day on. The same
        run made again begins where it began. None where the clock was set back behind that."""
        state = (await self._ledger.projected(_MADE, [job])).get(job)
        if state is None:
            since = min(midnight(first, zone), today(now, zone).since)
        else:
            since = parse_time(state["since" if state["run"] == run else "until"])
        return Span(since=since, until=now, zone=zone) if since < now else None

    async def made(self, job: str, run: str, span: Span) -> None:
        """The summary of a span was made by a run."""
        data = {"run": run, "since": iso(span.since), "until": iso(span.until)}
        await self._ledger.note(KIND, job, actor="host", data=data)


def _keys(row: LogEntry) -> tuple[str, ...]:
    return (row.entity,)


def _step(_job: str, state: State | None, row: LogEntry) -> State:
    """Of a note that was erased nothing is known; what was before it holds."""
    return dict(row.new) if row.new else state or {}


_MADE = Projection(name="summaries_made", version=1, kinds=(KIND,), keys=_keys, step=_step)
