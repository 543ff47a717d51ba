"""The queue of conversations to be read for memories, folded from notes in the log.

Up to where each session was read, and each stretch that is waiting, running, failed or done.
Nothing is read here and no model is known; one process owns a home, so one queue knows all.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

from skill_agent.errors import NotFound
from skill_agent.identifiers import iso, new_id, parse_time
from skill_agent.ports import Clock, Ledger
from skill_agent.text.redaction import redact
from skill_agent.values import Belongings, ExtractionJob, JobState, LogEntry, Note, Trigger

KINDS = ("extraction.queued", "extraction.started", "extraction.done", "extraction.failed")
MAX_ATTEMPTS = 8
"""Failures after which a job rests until somebody asks for it."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_KEPT_DONE = 500
"""Finished jobs that are remembered for a listing."""
_PAGE = 5_000
_ERROR_LENGTH = 300


def pause(attempts: int) -> timedelta:
    """1 min · 2^(attempts - 1), at most 6 h."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(10, max(0, attempts - 1)))


class ExtractionQueue:
    """The state of one home's queue; every change is in the log before it counts."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._jobs: dict[str, ExtractionJob] = {}
        self._read: dict[str, int] = {}
        self._skimmed: dict[str, int] = {}
        self._loaded = False
        self._loading = asyncio.Lock()

    # -- what there is -----------------------------------------------------------------------

    async def list(
        self, states: Sequence[JobState] = (), *, limit: int = 50
    ) -> "list[ExtractionJob]":
        """Jobs, the newest first."""
        await self._load()
        found = [job for job in self._jobs.values() if not states or job.state in states]
        return sorted(found, key=lambda job: (job.queued_at, job.id), reverse=True)[:limit]

    async def pending(self) -> "list[ExtractionJob]":
        """Jobs that may run now, the oldest first; what was brought in comes after what was said
        here."""
        await self._load()
        now = self._clock()
        ready = [
            job
            for job in self._jobs.values()
            if job.state == "waiting"
            or (job.state == "failed" and job.next_try is not None and job.next_try <= now)
        ]
        return sorted(ready, key=lambda job: (job.trigger == "import", job.queued_at, job.id))

    async def due(self, session: str) -> int:
        """Position from which nobody has read, or is about to read, the session."""
        await self._load()
        ends = [job.end for job in self._jobs.values() if job.session == session]
        return max([self._read.get(session, 0), *ends])

    async def skimmed(self, session: str) -> int:
        """Position up to which the rules have read a session; looks at that session alone."""
        if session not in self._skimmed and not self._loaded:
            for entry in await self._ledger.log(session, kinds=KINDS, limit=100_000):
                self._mark(entry.kind, _data(entry))
        return max(self._skimmed.get(session, 0), self._read.get(session, 0))

    async def job(self, job_id: str) -> ExtractionJob:
        """By id or unambiguous prefix; raises NotFound."""
        await self._load()
        found = [job for one, job in self._jobs.items() if one.startswith(job_id)]
        if len(found) != 1 or not job_id:
            raise NotFound(f"no extraction {job_id!r}", hint="ska memory extractions")
        return found[0]

    # -- what becomes of it ------------------------------------------------------------------

    async def queue(
        self, session: str, agent: str, start: int, end: int, trigger: Trigger
    ) -> ExtractionJob:
        """Adds a stretch to be read."""
        await self._load()
        job = ExtractionJob(
            id=new_id(),
            session=session,
            agent=agent,
            start=start,
            end=end,
            trigger=trigger,
            queued_at=self._clock(),
        )
        await self._note("extraction.queued", job, _begun(job))
        self._jobs[job.id] = job
        return job

    async def take_in(self, jobs: Sequence[ExtractionJob], *, read: bool = False) -> None:
        """Adds many in one write; with `read` they count as read, and nobody reads them."""
        await self._load()
        if not jobs:
            return
        kind, data_of = ("extraction.done", _ended) if read else ("extraction.queued", _begun)
        notes = tuple(
            Note(
                kind=kind,
                entity=job.id,
                actor="reader",
                at=job.queued_at,
                data={"session": job.session, **data_of(job)},
            )
            for job in jobs
        )
        await self._ledger.import_belongings([Belongings(notes=notes)], actor="reader")
        for job in jobs:
            if read:
                self._mark(kind, {"session": job.session, "to": job.end})
            else:
                self._jobs[job.id] = job

    async def drop(self, sessions: Collection[str]) -> None:
        """Forgets the jobs of sessions that are about to go; the log loses them with these."""
        await self._load()
        gone = {*sessions}
        self._jobs = {name: job for name, job in self._jobs.items() if job.session not in gone}
        for session in gone:
            self._read.pop(session, None)
            self._skimmed.pop(session, None)

    async def start(self, job: ExtractionJob) -> ExtractionJob:
        """Notes that a job is being worked on; without an end it is waiting again."""
        running = replace(job, state="running")
        await self._note("extraction.started", job, {"attempt": job.attempts + 1})
        self._jobs[job.id] = running
        return running

    def put_back(self, job: ExtractionJob) -> None:
        """Interrupted, which is no failure: the log's `started` without an end says the same."""
        if job.id in self._jobs:
            self._jobs[job.id] = replace(self._jobs[job.id], state="waiting", next_try=None)

    async def finish(self, job: ExtractionJob, **figures: Any) -> ExtractionJob:
        """Read; `figures` are fields of the job. The session counts as read up to its end."""
        done = replace(
            job, state="done", error="", next_try=None, ended_at=self._clock(), **figures
        )
        data = _ended(done)
        await self._note("extraction.done", job, data)
        self._jobs[job.id] = done
        self._mark("extraction.done", {**data, "session": job.session})
        self._thin()
        return done

    async def fail(self, job: ExtractionJob, error: str) -> ExtractionJob:
        """Not read; tried again after a pause that doubles, eight times in all."""
        attempts = job.attempts + 1
        again = self._clock() + pause(attempts) if attempts < MAX_ATTEMPTS else None
        error = redact(error)[:_ERROR_LENGTH]
        failed = replace(job, state="failed", attempts=attempts, next_try=again, error=error)
        data = {"attempts": attempts, "error": error, "next_try": iso(again) if again else None}
        await self._note("extraction.failed", job, data)
        self._jobs[job.id] = failed
        return failed

    async def retry(self, job_id: str) -> ExtractionJob:
        """Makes a failed job wait again at once; raises NotFound."""
        job = await self.job(job_id)
        if job.state != "failed":
            return job
        waiting = replace(job, state="waiting", attempts=0, next_try=None)
        await self._note("extraction.queued", job, _begun(job))
        self._jobs[job.id] = waiting
        return waiting

    async def skim(self, session: str, start: int, end: int, figures: dict[str, int]) -> None:
        """Notes what the rules alone found right after a turn."""
        data = {"session": session, "from": start, "to": end, "trigger": "turn", "passes": 0}
        await self._ledger.note(
            "extraction.done", new_id(), actor="reader", data={**data, **figures}
        )
        self.skimmed_to(session, end)

    def skimmed_to(self, session: str, end: int) -> None:
        """As `skim` where nothing was found: not worth a note, for reading again costs nothing."""
        self._skimmed[session] = max(self._skimmed.get(session, 0), end)

    # -- the log -----------------------------------------------------------------------------

    async def _note(self, kind: str, job: ExtractionJob, data: dict[str, Any]) -> None:
        await self._ledger.note(kind, job.id, actor="reader", data={"session": job.session, **data})

    async def _load(self) -> None:
        """Folds the whole log's notes, once."""
        async with self._loading:
            after = 0
            while not self._loaded:
                rows = await self._ledger.log(kinds=KINDS, after=after, limit=_PAGE)
                for row in rows:
                    self._apply(row)
                after = rows[-1].seq if rows else after
                self._loaded = len(rows) < _PAGE
                self._thin()

    def _apply(self, entry: LogEntry) -> None:
        data, known = _data(entry), self._jobs.get(entry.entity)
        self._mark(entry.kind, data)
        match entry.kind:
            case "extraction.queued" if _whole(data):
                self._jobs[entry.entity] = ExtractionJob(
                    id=entry.entity,
                    session=data["session"],
                    agent=data["agent"],
                    start=data["from"],
                    end=data["to"],
                    trigger=data["trigger"],
                    queued_at=known.queued_at if known else entry.at,
                )
            case "extraction.failed" if known:
                self._jobs[known.id] = replace(
                    known,
                    state="failed",
                    attempts=_number(data, "attempts", 1),
                    next_try=_moment(data.get("next_try")),
                    error=_text(data, "error"),
                )
            case "extraction.done" if known:
                figures = {name: _number(data, name, 0) for name in (*_COUNTS, "passes")}
                self._jobs[known.id] = replace(
                    known,
                    state="done",
                    error="",
                    next_try=None,
                    ended_at=entry.at,
                    model=_text(data, "model"),
                    **figures,
                )
            case "extraction.started" if known:
                # The process that began it is gone: only an end would tell otherwise.
                self._jobs[known.id] = replace(known, state="waiting", next_try=None)
            case _:
                pass

    def _mark(self, kind: str, data: dict[str, Any]) -> None:
        session, end = data.get("session"), data.get("to")
        if kind != "extraction.done" or not isinstance(session, str) or type(end) is not int:
            return
        reached = self._skimmed if data.get("trigger") == "turn" else self._read
        reached[session] = max(reached.get(session, 0), end)

    def _thin(self) -> None:
        """Forgets the oldest finished jobs; up to where their sessions were read is kept."""
        done = [one for one, job in self._jobs.items() if job.state == "done"]
        for one in done[:-_KEPT_DONE]:
            del self._jobs[one]


_MOST = 2**31
_COUNTS = ("created", "versioned", "disputed", "skipped")


def _begun(job: ExtractionJob) -> dict[str, Any]:
    return {"from": job.start, "to": job.end, "trigger": job.trigger, "agent": job.agent}


def _ended(job: ExtractionJob) -> dict[str, Any]:
    data = {"from": job.start, "to": job.end, "passes": job.passes, "model": job.model}
    return {**data, **{name: getattr(job, name) for name in _COUNTS}}


def _data(entry: LogEntry) -> dict[str, Any]:
    """Empty for a note that was purged."""
    return entry.new or {}


def _whole(data: dict[str, Any]) -> bool:
    texts = all(isinstance(data.get(name), str) for name in ("session", "agent"))
    places = all(_number(data, name, -1) >= 0 for name in ("from", "to"))
    return texts and places and data.get("trigger") in get_args(Trigger)


def _text(data: dict[str, Any], name: str) -> str:
    return said if isinstance(said := data.get(name), str) else ""


def _number(data: dict[str, Any], name: str, instead: int) -> int:
    said = data.get(name)
    return said if type(said) is int and 0 <= said < _MOST else instead


def _moment(said: object) -> datetime | None:
    """None also for what names no moment: the job may be tried again at once."""
    try:
        return parse_time(said) if isinstance(said, str) else None
    except ValueError:
        return None
