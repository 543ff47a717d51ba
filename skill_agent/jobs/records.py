"""Jobs and their runs as the ledger keeps them: notes, folded to a state by job and by run.

Three kinds of notes. `job` says what a job is to be. `job.run` says where a run stands and which
fire times that accounts for; it holds no text of anybody's, so that nothing erased can make a fire
time due again. `job.said` holds what a run said or why it failed: it goes when its conversation is
erased, and it is written before the run's end, so that a crash between the two loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, get_args

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    JOB_KINDS,
    JOB_STATUSES,
    ORIGINS,
    RUN_STATES,
    ErrorKind,
    Job,
    JobRun,
    LogEntry,
    RunLimits,
    RunState,
    Schedule,
    ScheduleKind,
)

from .due import Accounted, Span

JOB, RUN, SAID, CLOCK = "job", "job.run", "job.said", "job.clock"
_ALL, _OPEN = "all", "open"
_TEXTS = ("result", "error", "hint", "session", "origins", "inbox")
"""Fields of a run that stand in `job.said`."""
_MOMENTS = ("due", "last_due", "claimed_at", "started_at", "ended_at", "next_try")
_PLAIN = frozenset(one.name for one in fields(JobRun)) - {*_TEXTS, "name"}
_FIGURES = ("silent", "error_kind", "tokens_used", "cost_usd")
_SAID_OF_JOB = (
    "name", "kind", "schedule", "status", "agent", "prompt", "command", "deliver", "catch_up",
    "quiet_hours", "limits", "max_attempts", "created_by", "by", "origins", "created_at",
)  # fmt: skip
_SPANS = 20
"""Missed spans that are kept in mind, for a clock that was ahead."""
_SHORTEST_REF = 8


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
        data: dict[str, Any] = {name: getattr(run, name) for name in _TEXTS}
        data |= {"job": run.job, "state": run.state, "fence": run.fence}
        data |= {name: getattr(run, name) for name in _FIGURES} | {"origins": list(run.origins)}
        await self._ledger.note(SAID, run.id, actor=run.agent or "host", data=data)

    async def change(self, run: JobRun, consequence: Consequence | None = None) -> None:
        """Writes down where a run stands."""
        data: dict[str, Any] = {name: getattr(run, name) for name in _PLAIN}
        for name in _MOMENTS:
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
        return sorted(await self._state(_ALL))

    async def some(self, ids: Sequence[str]) -> dict[str, Kept]:
        """What the ledger tells of jobs; of one it knows nothing of, that."""
        states = await self._states([f"job {one}" for one in ids])
        return {one: _kept(one, states.get(f"job {one}", {})) for one in ids}

    async def open(self) -> list[JobRun]:
        """The runs that have not ended, the oldest first."""
        return await self.runs(sorted(await self._state(_OPEN)))

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
        if len(ref) < _SHORTEST_REF:
            return []
        there = await self._state(f"id {ref[:_SHORTEST_REF]}")
        return sorted(one for one in there if one.startswith(ref))

    async def history(self, job: str, *, limit: int) -> list[JobRun]:
        """The newest first."""
        found: list[JobRun] = []
        for month in sorted(await self._state(f"of {job}"), reverse=True):
            for day in sorted(await self._state(f"of {job} {month}"), reverse=True):
                ids = await self._state(f"of {job} {day}")
                newest = sorted(ids, key=lambda one: (ids[one], one), reverse=True)
                runs = await self.runs(newest[: limit - len(found) + _SPANS])
                found += [one for one in runs if one.fire_times]
                if len(found) >= limit:
                    return found[:limit]
        return found

    async def _state(self, key: str) -> State:
        return (await self._states([key])).get(key, {})

    async def _states(self, keys: Sequence[str]) -> dict[str, State]:
        return await self._ledger.projected(_JOBS, keys) if keys else {}


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
    told = {key: state[key] for key in state if key in _PLAIN or key in _TEXTS}
    for key in _MOMENTS:
        told[key] = parse_time(told[key]) if told.get(key) else None
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
        since=_moment(state.get("since")),
        accounted=_accounted(state),
        missed=missed,
        fence=state.get("fence", 0),
        open=tuple(sorted(state.get("open", ()))),
        failures=state.get("failures", 0),
        crashes=state.get("crashes", 0),
        dead=state.get("dead", False),
        removed=state.get("removed", False),
        told=state.get("told", ""),
        problem=state.get("problem", ""),
        last_run=_moment(state.get("last_run")),
        last_state=state.get("last_state"),
    )


def _moment(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def _accounted(state: State) -> Accounted:
    beyond = tuple((parse_time(one), parse_time(two)) for one, two in state.get("beyond", ()))
    return Accounted(_moment(state.get("until")), beyond)


# -- the fold ------------------------------------------------------------------------------------


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict):
        return None
    try:
        return new if _sound(row.kind, new) else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _sound(kind: str, new: dict[str, Any]) -> bool:
    if kind == JOB:
        if new.get("removed") is True:
            return True
        parse_time(new["since"])
        return isinstance(new["said"], dict)
    if kind == CLOCK:
        _accounted(new)
        return True
    fence, job = new["fence"], new["job"]
    sound = type(fence) is int and 0 <= fence < 2**31 and isinstance(job, str)
    if kind == SAID:
        return sound and isinstance(new["error"], str) and new["state"] in RUN_STATES
    for name in _MOMENTS:
        _moment(new[name])
    then = new.get("then") or {}
    count = new["fire_times"]
    return sound and new["state"] in RUN_STATES and isinstance(then, dict) and type(count) is int


def _keys(row: LogEntry) -> Iterable[str]:
    if (told := _told(row)) is None:
        return
    if row.kind in (JOB, CLOCK):
        yield f"job {row.entity}"
        if row.kind == JOB:
            yield _ALL
        return
    job = told["job"]
    yield f"run {row.entity}"
    yield f"job {job}"
    if row.kind == SAID:
        return
    month, day = told["due"][:7], told["due"][:10]
    yield from (_OPEN, f"of {job}", f"of {job} {month}", f"of {job} {day}")
    yield f"id {row.entity[:_SHORTEST_REF]}"


def _step(key: str, state: State | None, row: LogEntry) -> State:
    told, known = _told(row) or {}, state or {}
    if key == _ALL:
        rest = {name: True for name in known if name != row.entity}
        return rest if told.get("removed") else {**rest, row.entity: True}
    if key.startswith("job "):
        return _STEPS[row.kind](known, told, row.entity)
    if key.startswith("run "):
        return _step_run(known, told)
    if key == _OPEN:
        rest = {name: True for name in known if name != row.entity}
        return {**rest, row.entity: True} if told["state"] in ("claimed", "running") else rest
    if key.startswith("id "):
        return {**known, row.entity: True}
    job, due = told["job"], told["due"]
    below = {f"of {job}": due[:7], f"of {job} {due[:7]}": due[:10]}.get(key)
    return {**known, below: True} if below else {**known, row.entity: due}


def _step_job(known: State, told: dict[str, Any], _: str) -> State:
    if told.get("removed"):
        return {**known, "removed": True}
    said = {**known.get("said", {}), **told["said"]}
    until = _accounted(known).through(parse_time(told["since"]))
    done = {**known, "said": said, "since": told["since"], **_accounted_record(until)}
    if told.get("revived"):
        done |= {"failures": 0, "crashes": 0, "dead": False, "told": "", "problem": ""}
    return done


def _step_clock(known: State, told: dict[str, Any], _: str) -> State:
    missed = [one for one in known.get("missed", ()) if one[2] <= (told["until"] or "")]
    return {**known, "until": told["until"], "beyond": told["beyond"], "missed": missed}


def _step_of_run(known: State, told: dict[str, Any], run: str) -> State:
    if told["fence"] < known.get("fence", 0) and run not in known.get("open", {}):
        return known  # an older claim has nothing to say any more
    opened = {name: True for name in known.get("open", {}) if name != run}
    if told["state"] in ("claimed", "running"):
        opened[run] = True
    done = {**known, "open": opened, "fence": max(known.get("fence", 0), told["fence"])}
    if not told["by_hand"] and told["fire_times"]:
        last = parse_time(told["last_due"] or told["due"])
        done |= _accounted_record(_accounted(known).through(last))
    if told["state"] == "missed" and told["fire_times"]:
        span = [run, told["due"], told["last_due"] or told["due"], told["fire_times"]]
        rest = [one for one in known.get("missed", ()) if one[0] != run]
        done["missed"] = [*rest, span][-_SPANS:]
    if told["state"] in ("completed", "failed", "unknown"):
        done |= {"last_run": told["ended_at"], "last_state": told["state"]}
        if told["state"] == "completed":
            done["problem"] = ""
    if then := told.get("then"):
        done |= {name: then[name] for name in ("failures", "crashes", "dead", "told")}
    return done


def _step_said(known: State, told: dict[str, Any], _: str) -> State:
    return {**known, "problem": told["error"]}


def _accounted_record(accounted: Accounted) -> State:
    return {
        "until": iso(accounted.until) if accounted.until else None,
        "beyond": [[iso(after), iso(upto)] for after, upto in accounted.beyond],
    }


def _step_run(known: State, told: dict[str, Any]) -> State:
    if told["fence"] < known.get("fence", 0):
        return known
    if "due" in told:
        return {**known, **{name: told[name] for name in told if name != "then"}}
    said = {name: told[name] for name in (*_TEXTS, *_FIGURES) if name in told}
    return {**known, **said, "said": {"state": told["state"], "fence": told["fence"]}}


_STEPS = {JOB: _step_job, CLOCK: _step_clock, RUN: _step_of_run, SAID: _step_said}

_JOBS = Projection(name="jobs", version=1, kinds=(JOB, RUN, SAID, CLOCK), keys=_keys, step=_step)
