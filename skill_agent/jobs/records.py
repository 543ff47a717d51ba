"""Jobs and their runs as the ledger keeps them: notes, folded to a state by job and by run.

Three kinds of notes. `job` says what a job is to be. `job.run` says where a run stands and which
fire times that accounts for; it holds no text of anybody's, so that nothing erased can make a fire
time due again. `job.said` holds what a run said or why it failed: it goes when its conversation is
erased, and it is written before the run's end, so that a crash between the two loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, get_args

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import State
from skill_agent.values import (
    JOB_KINDS,
    JOB_STATUSES,
    ORIGINS,
    RUN_STATES,
    ErrorKind,
    Job,
    JobRun,
    RunLimits,
    RunState,
    Schedule,
    ScheduleKind,
)

from .due import Accounted, Span
from .folding import (
    ALL,
    CLOCK,
    FIGURES,
    JOB,
    JOBS,
    MOMENTS,
    OPEN,
    RUN,
    SAID,
    SHORTEST_REF,
    SPANS,
    TEXTS,
    accounted_in,
    moment_in,
)

_PLAIN = frozenset(one.name for one in fields(JobRun)) - {*TEXTS, "name"}
_SAID_OF_JOB = (
    "name", "kind", "schedule", "status", "agent", "prompt", "command", "deliver", "catch_up",
    "quiet_hours", "limits", "max_attempts", "created_by", "by", "origins", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A job with what its runs have come to, as the ledger tells."""

    id: str
    said: Mapping[str, Any]
    """What it is to be; for a built-in one, what differs from the settings."""
    since: datetime | None = None
    """From when its schedule holds."""
    accounted: Accounted = field(default_factory=Accounted)
    missed: tuple[tuple[str, Span], ...] = ()
    fence: int = 0
    open: tuple[str, ...] = ()
    """Runs that have not ended."""
    failures: int = 0
    crashes: int = 0
    dead: bool = False
    removed: bool = False
    told: str = ""
    """Which fault of the configuration was told last."""
    problem: str = ""
    last_run: datetime | None = None
    last_state: RunState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What the end of a run means for its job."""

    failures: int = 0
    crashes: int = 0
    dead: bool = False
    told: str = ""


class JobRecords:
    """Every job of a home, and every run."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # -- written -----------------------------------------------------------------------------

    async def keep(self, job: Job, *, since: datetime, revived: bool = False) -> None:
        """Writes down a job as it is to be; its schedule holds since then."""
        data = {name: getattr(job, name) for name in _SAID_OF_JOB}
        data |= {"schedule": _schedule_record(job.schedule), "limits": asdict(job.limits)}
        data |= {"created_at": iso(job.created_at), "origins": list(job.origins)}
        data |= {"command": list(job.command), "deliver": list(job.deliver)}
        await self._note(job, data, since, revived=revived)

    async def keep_status(self, job: Job, *, since: datetime, revived: bool = False) -> None:
        """Writes down no more of it than whether it runs: of a built-in one, whose rest stands in
        the settings."""
        await self._note(job, {"status": job.status}, since, revived=revived)

    async def _note(
        self, job: Job, data: dict[str, Any], since: datetime, *, revived: bool
    ) -> None:
        told = {"said": data, "since": iso(since), "revived": revived}
        await self._ledger.note(JOB, job.id, actor=job.created_by, data=told)

    async def remove(self, job: Job) -> None:
        await self._ledger.note(JOB, job.id, actor="person", data={"removed": True})

    async def say(self, run: JobRun) -> None:
        """Writes down what came of a run, before it is told and before it ends."""
        data: dict[str, Any] = {name: getattr(run, name) for name in TEXTS}
        data |= {"job": run.job, "state": run.state, "fence": run.fence}
        data |= {name: getattr(run, name) for name in FIGURES} | {"origins": list(run.origins)}
        data |= {"quotes": list(run.quotes), "sessions": list(run.quotes)}
        await self._ledger.note(SAID, run.id, actor=run.agent or "host", data=data)

    async def change(
        self, run: JobRun, consequence: Consequence | None = None, *, first: bool = False
    ) -> None:
        """Writes down where a run stands; `first` says that nothing is known of it yet."""
        data: dict[str, Any] = {name: getattr(run, name) for name in _PLAIN} | {"first": first}
        for name in MOMENTS:
            data[name] = iso(data[name]) if data[name] else None
        del data["id"]
        if consequence is not None:
            data["then"] = asdict(consequence)
        await self._ledger.note(RUN, run.id, actor="host", data=data)

    async def put_right(self, job: str, accounted: Accounted) -> None:
        """Writes down what is accounted for after the clock was ahead."""
        beyond = [[iso(after), iso(upto)] for after, upto in accounted.beyond]
        until = iso(accounted.until) if accounted.until else None
        await self._ledger.note(CLOCK, job, actor="host", data={"until": until, "beyond": beyond})

    # -- read --------------------------------------------------------------------------------

    async def ids(self) -> list[str]:
        """Those of every job that was not removed; of built-in ones, those with a history."""
        return sorted(await self._state(ALL))

    async def some(self, ids: Sequence[str]) -> dict[str, Kept]:
        """What the ledger tells of jobs; of one it knows nothing of, that."""
        states = await self._states([f"job {one}" for one in ids])
        return {one: _kept(one, states.get(f"job {one}", {})) for one in ids}

    async def open(self) -> list[JobRun]:
        """The runs that have not ended, the oldest first."""
        return await self.runs(sorted(await self._state(OPEN)))

    async def runs(self, ids: Sequence[str]) -> list[JobRun]:
        """Those that exist, in the order they were asked for."""
        states = await self._states([f"run {one}" for one in ids])
        found = (run_in(one, states.get(f"run {one}")) for one in ids)
        return [one for one in found if one is not None]

    async def said(self, run: JobRun) -> RunState | None:
        """How a run ended that has said so already, though its end is not written down."""
        said = (await self._state(f"run {run.id}")).get("said", {})
        return said.get("state") if said.get("fence") == run.fence else None

    async def beginning_with(self, ref: str) -> list[str]:
        """Ids of the runs that begin so."""
        if len(ref) < SHORTEST_REF:
            return []
        there = await self._state(f"id {ref[:SHORTEST_REF]}")
        return sorted(one for one in there if one.startswith(ref))

    async def history(self, job: str, *, limit: int) -> list[JobRun]:
        """The newest first."""
        found: list[JobRun] = []
        for month in sorted(await self._state(f"of {job}"), reverse=True):
            for day in sorted(await self._state(f"of {job} {month}"), reverse=True):
                ids = await self._state(f"of {job} {day}")
                newest = sorted(ids, key=lambda one: (ids[one], one), reverse=True)
                runs = await self.runs(newest[: limit - len(found) + SPANS])
                found += [one for one in runs if one.fire_times]
                if len(found) >= limit:
                    return found[:limit]
        return found

    async def _state(self, key: str) -> State:
        return (await self._states([key])).get(key, {})

    async def _states(self, keys: Sequence[str]) -> dict[str, State]:
        return await self._ledger.projected(JOBS, keys) if keys else {}


def job_in(kept: Kept) -> Job | None:
    """The job that a state tells of; None where what it was to be is gone, or is none."""
    try:
        return _job(kept)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _job(kept: Kept) -> Job:
    said = dict(kept.said)
    schedule = dict(said["schedule"])
    anchor = schedule.get("anchor")
    schedule["anchor"] = parse_time(anchor) if anchor else None
    if schedule["kind"] not in get_args(ScheduleKind) or said["kind"] not in JOB_KINDS:
        raise ValueError("not what was written")
    texts = ("name", "agent", "prompt", "created_by", "by")
    if said["status"] not in JOB_STATUSES or not all(isinstance(said[one], str) for one in texts):
        raise ValueError("not what was written")
    return Job(
        id=kept.id,
        **{
            **{name: said[name] for name in _SAID_OF_JOB},
            "schedule": Schedule(**schedule),
            "limits": RunLimits(**said["limits"]),
            "command": tuple(str(one) for one in said["command"]),
            "deliver": tuple(str(one) for one in said["deliver"]),
            "origins": tuple(one for one in ORIGINS if one in said["origins"]),
            "created_at": parse_time(said["created_at"]),
        },
    )


def run_in(name: str, state: State | None) -> JobRun | None:
    """The run a state tells of; None where it is gone, or is none."""
    try:
        return _run(name, state) if state else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _run(name: str, state: State) -> JobRun:
    told = {key: state[key] for key in state if key in _PLAIN or key in TEXTS}
    for key in MOMENTS:
        told[key] = parse_time(told[key]) if told.get(key) else None
    told["quotes"] = tuple(one for one in told.get("quotes") or () if isinstance(one, str))
    told["origins"] = tuple(one for one in ORIGINS if one in (told.get("origins") or ()))
    if told["state"] not in RUN_STATES or told["due"] is None:
        raise ValueError("not what was written")
    if told.get("error_kind", "") not in get_args(ErrorKind):
        raise ValueError("not what was written")
    for key in ("result", "error", "hint"):
        told[key] = str(told.get(key) or "")
    return JobRun(**{**told, "id": name})


def _schedule_record(schedule: Schedule) -> dict[str, Any]:
    anchor = iso(schedule.anchor) if schedule.anchor else None
    return {**asdict(schedule), "anchor": anchor}


def _kept(name: str, state: State) -> Kept:
    missed = tuple(
        (run, Span(parse_time(first), parse_time(last), count))
        for run, first, last, count in state.get("missed", ())
    )
    return Kept(
        id=name,
        said=state.get("said", {}),
        since=moment_in(state.get("since")),
        accounted=accounted_in(state),
        missed=missed,
        fence=state.get("fence", 0),
        open=tuple(sorted(state.get("open", ()))),
        failures=state.get("failures", 0),
        crashes=state.get("crashes", 0),
        dead=state.get("dead", False),
        removed=state.get("removed", False),
        told=state.get("told", ""),
        problem=state.get("problem", ""),
        last_run=moment_in(state.get("last_run")),
        last_state=state.get("last_state"),
    )
