"""Tasks as the ledger keeps them: notes that name what has changed, folded to a state by task.

A task's working conversation has the task's id, so its notes go when that is erased, and when the
conversation is erased from which the task came, which their data names. Listings go by minutes:
each key stays small, however many tasks there are.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, get_args

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.checks import sound_text
from skill_agent.values import (
    ORIGINS,
    AgentTask,
    Allowance,
    LogEntry,
    Priority,
    TaskState,
    TaskType,
)

KIND = "team.task"
"""Of the note; its entity is the task."""
_OPEN, _DEAD, _YEARS = "open", "dead", "years"
_Many = list[AgentTask]  # `list` is a method
_Names = list[str]
_SHORTEST_REF = 6
_LATELY = 200
"""So many tasks are looked through for a title."""
_MOMENTS = ("created_at", "started_at", "completed_at")
_TUPLES = ("input_artifacts", "result_artifacts", "origins")
_FIELDS = frozenset(one.name for one in fields(AgentTask))
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "task_type": get_args(TaskType),
    "priority": get_args(Priority),
    "status": get_args(TaskState),
}


class TaskRecords:
    """Every task of a home."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def save(self, task: AgentTask, *, changed: Iterable[str] | None = None) -> None:
        """Writes down a task, or what of it has `changed`."""
        record = _record(task)
        if changed is not None:
            record = {name: record[name] for name in changed}
        data = {
            **record,
            "session": task.conversation or task.id,
            "made": iso(task.created_at),
            "open": not task.ended,
            "dead": task.dead,
            "of": [task.assigned_to, task.status, task.collaboration],
        }
        await self._ledger.note(KIND, task.id, actor=task.assigned_to, data=data)

    async def get(self, task: str) -> AgentTask | None:
        """By its exact id."""
        return (await self.some([task])).get(task)

    async def some(self, ids: Iterable[str]) -> dict[str, AgentTask]:
        """Those that exist, by exact id, in the order they were asked for."""
        wanted = list(dict.fromkeys(ids))
        states = await self._states([f"task {one}" for one in wanted])
        found = {one: task_in(one, states.get(f"task {one}")) for one in wanted}
        return {name: task for name, task in found.items() if task is not None}

    async def open(self) -> _Many:
        """Those that have not ended, the oldest first."""
        return await self._under(_OPEN)

    async def find(self, ref: str) -> AgentTask:
        """By id, its beginning, or the title; raises NotFound with the nearest, UsageError where
        several fit."""
        ref = ref.strip()
        if not ref:
            raise UsageError("which task?", hint="ska team list")
        sound_text(ref, "the task's name")
        if (exact := await self.get(ref.lower())) is not None:
            return exact
        matches = await self._beginning_with(ref.lower()) if len(ref) >= _SHORTEST_REF else []
        lately = [] if matches else await self.list(limit=_LATELY)
        matches = matches or [one for one in lately if one.title.casefold() == ref.casefold()]
        match matches:
            case [one]:
                return one
            case []:
                raise NotFound(f"no task {ref!r}", hint=_nearest(ref, lately))
            case several:
                named = "; ".join(f"{one.id} {one.title!r}" for one in several[:5])
                raise UsageError(f"{ref!r} fits {len(several)} tasks", hint=f"use an id: {named}")

    async def _beginning_with(self, ref: str) -> _Many:
        short = (await self._state(f"id {ref[:6]}")).get("parts", ())
        parts = [one for one in short if one.startswith(ref[:8])]
        states = await self._states([f"id {one}" for one in parts])
        ids = [name for state in states.values() for name in state if name.startswith(ref)]
        return list((await self.some(sorted(ids)[:10])).values())

    async def list(
        self,
        *,
        status: TaskState | None = None,
        agent: str | None = None,
        collaboration: str | None = None,
        conversation: str | None = None,
        dead: bool = False,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> _Many:
        """The newest first."""
        wanted = [agent, status, collaboration]
        ids: list[str] = []
        if dead or conversation is not None or status in ("pending", "in_progress"):
            key = _DEAD if dead else _OPEN if conversation is None else f"in {conversation}"
            few = [
                one for one in await self._under(key) if conversation in (None, one.conversation)
            ]
            listed = sorted(few, key=lambda one: (one.created_at, one.id), reverse=True)
            ids = [one.id for one in listed if _fits(_of(one), wanted) and _is_before(one, before)]
            return list((await self.some(ids[:limit])).values())
        async for minute in self._minutes(before):
            for name, of in sorted(minute.items(), key=lambda pair: (pair[1][0], pair[0]))[::-1]:
                if _fits(of[1:], wanted) and (before is None or (of[0], name) < _place(before)):
                    ids.append(name)
            if len(ids) >= limit:
                break
        return list((await self.some(ids[:limit])).values())

    async def _minutes(self, before: tuple[datetime, str] | None) -> AsyncIterator[State]:
        """What was made in each minute, the newest first."""
        latest = iso(before[0]) if before else "~"
        for year in _backwards(await self._state(_YEARS), latest):
            for day in _backwards(await self._state(year), latest):
                minutes = list(_backwards(await self._state(day), latest))
                for at in range(0, len(minutes), 50):
                    some = minutes[at : at + 50]
                    states = await self._states(some)
                    for one in some:
                        yield states.get(one, {})

    async def _under(self, key: str) -> _Many:
        state = await self._state(key)
        return list((await self.some(sorted(state))).values())

    async def _state(self, key: str) -> State:
        return (await self._states([key])).get(key, {})

    async def _states(self, keys: _Names) -> dict[str, State]:
        return await self._ledger.projected(_TASKS, keys) if keys else {}


def task_in(name: str, state: State | None) -> AgentTask | None:
    """The task a state tells of; None where it is gone, or is none."""
    try:
        return _task(name, state) if state else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _task(name: str, state: State) -> AgentTask:
    told: dict[str, Any] = {key: value for key, value in state.items() if key in _FIELDS}
    for key in _MOMENTS:
        told[key] = parse_time(told[key]) if told.get(key) else None
    for key in _TUPLES:
        told[key] = tuple(str(one) for one in told.get(key) or ())
    # What a note names is the conversation it goes with; the task is worked on in its own.
    told["session"] = name if told.get("turn") else None
    told["origins"] = tuple(one for one in ORIGINS if one in told["origins"])
    told["allowance"] = Allowance(**told["allowance"])
    texts = ("assigned_to", "created_by", "title", "instructions", "result", "error")
    sound = all(isinstance(told.get(key), str) for key in texts) and told["created_at"]
    if not sound or any(told[key] not in choices for key, choices in _CHOICES.items()):
        raise ValueError("not what was written")
    return AgentTask(**{**told, "id": name})


def _record(task: AgentTask) -> dict[str, Any]:
    record = asdict(task)
    for key in _MOMENTS:
        record[key] = iso(record[key]) if record[key] else None
    for key in _TUPLES:
        record[key] = list(record[key])
    del record["id"], record["session"]
    return record


def _of(task: AgentTask) -> list[str | None]:
    return [task.assigned_to, task.status, task.collaboration]


def _fits(of: list[str | None], wanted: list[str | None]) -> bool:
    return all(one in (None, is_) for is_, one in zip(of, wanted, strict=True))


def _place(before: tuple[datetime, str]) -> tuple[str, str]:
    return iso(before[0]), before[1]


def _is_before(task: AgentTask, before: tuple[datetime, str] | None) -> bool:
    return before is None or (task.created_at, task.id) < before


def _backwards(state: State, latest: str) -> Iterable[str]:
    return (one for one in sorted(state, reverse=True) if one <= latest[: len(one)])


def _nearest(ref: str, tasks: list[AgentTask]) -> str:
    from rapidfuzz import process

    names = {one.title: one.id for one in tasks} | {one.id: one.id for one in tasks}
    near = process.extractOne(ref, list(names), score_cutoff=70)
    return f"did you mean {names[near[0]]}?" if near else "ska team list"


# -- the fold ------------------------------------------------------------------------------------


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict) or not isinstance(made := new.get("made"), str):
        return None
    of = new.get("of")
    try:
        parse_time(made)
    except ValueError:
        return None
    return new if len(made) == len("2026-11-30T09:00:00.000000Z") and _is_of(of) else None


def _is_of(of: Any) -> bool:
    return (
        isinstance(of, list)
        and len(of) == 3
        and all(one is None or isinstance(one, str) for one in of)
    )


def _keys(row: LogEntry) -> Iterable[str]:
    if (told := _told(row)) is None:
        return
    made = told["made"]
    yield f"task {row.entity}"
    yield from (_OPEN, _DEAD, _YEARS, made[:4], made[:10], made[:16])
    yield from (f"id {row.entity[:6]}", f"id {row.entity[:8]}")
    if isinstance(session := told.get("session"), str):
        yield f"in {session}"


def _step(key: str, state: State | None, row: LogEntry) -> State:
    told, known = _told(row) or {}, state or {}
    made = told["made"]
    if key.startswith("task "):
        return {**known, **{name: told[name] for name in told if name in _FIELDS}}
    if key in (_OPEN, _DEAD):
        rest = {name: True for name in known if name != row.entity}
        return {**rest, row.entity: True} if told.get(key) is True else rest
    if key == made[:16]:
        return {**known, row.entity: [made, *told["of"]]}
    if key == f"id {row.entity[:6]}" and len(row.entity) > 6:
        return {"parts": sorted({*known.get("parts", ()), row.entity[:8]})}
    if key.startswith(("id ", "in ")):
        return {**known, row.entity: True}
    return {**known, _next(key, made): True}


def _next(key: str, made: str) -> str:
    """The key below that of the years, a year or a day."""
    return made[: {len(_YEARS): 4, 4: 10, 10: 16}[len(key)]]


_TASKS = Projection(name="tasks", version=2, kinds=(KIND,), keys=_keys, step=_step)
