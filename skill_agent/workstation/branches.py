"""The work of a team as trees: collaborations and tasks, with what was given on in each; asked of a
workstation.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from skill_agent.conversations.usage import usd
from skill_agent.errors import NotFound, UsageError
from skill_agent.text.nearest import nearest
from skill_agent.values import (
    AgentTask,
    Collaboration,
    CollaborationState,
    StageOutput,
    TaskState,
)

if TYPE_CHECKING:
    from .interface import Workstation

_OPEN: tuple[TaskState, ...] = ("in_progress", "pending")
_MOST_OPEN = 200
_PAGE = 200
_MOST_PAGES = 50
_LATELY = 50
"""So many collaborations are looked through for one that nearly has the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A collaboration or a task, and what was given on in it."""

    id: str
    kind: Literal["collaboration", "task"]
    title: str
    agent: str
    """Who works on it, or leads it."""
    status: TaskState | CollaborationState
    ended: bool
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    pattern: str = ""
    """Of a collaboration."""
    stage: str = ""
    tokens_used: int = 0
    """Of this and all below it, as `cost_usd` is."""
    cost_usd: float = 0.0
    problem: str = ""
    dead: bool = False
    """Given up; it waits for a person."""
    attempt: int = 1
    session: str | None = None
    """The conversation in which a task is worked on."""
    parent: str | None = None
    """The task or collaboration it is part of."""
    instructions: str = ""
    result: str = ""
    outputs: tuple[StageOutput, ...] = ()
    estimate_s: float | None = None
    children: "tuple[Branch, ...]" = ()
    """The oldest first."""

    def seconds(self, now: datetime) -> float | None:
        """How long it was worked on until now; None before it is begun."""
        begun = self.created_at if self.kind == "collaboration" else self.started_at
        if begun is None:
            return None
        return max(0.0, ((self.completed_at or now) - begun).total_seconds())

    @property
    def heading(self) -> str:
        """What it is beside what it is part of."""
        return self.stage if self.kind == "task" and self.stage else self.title

    @property
    def state(self) -> str:
        """In words."""
        words = self.status.replace("_", " ")
        return f"{words}, given up" if self.dead else words


async def work_of(station: "Workstation", *, limit: int = 50) -> list[Branch]:
    """All that has not ended, and so much of what was begun last; what has not ended first, then
    the newest."""
    newest, *some = await asyncio.gather(
        station.tasks.list(limit=limit),
        *(station.tasks.list(status=one, limit=_MOST_OPEN) for one in _OPEN),
    )
    together = await station.collaborations.list(limit=limit)
    tasks = {one.id: one for one in (*newest, *(task for few in some for task in few))}
    found = {one.id: one for one in together}
    await _with_parents(station, tasks, found)
    return in_order(_trees(tasks.values(), found.values()))


async def find_work(station: "Workstation", ref: str) -> AgentTask | Collaboration:
    """One of them by its id, its beginning or a task's title; raises NotFound with the nearest,
    UsageError where several fit."""
    ref = ref.strip()
    together: Collaboration | None = None
    with suppress(NotFound):
        together = await station.collaborations.get(ref)
    if together is not None and together.id == ref:
        return together
    try:
        task = await station.tasks.get(ref)
    except NotFound as problem:
        if together is not None:
            return together
        hint = problem.hint if "did you mean" in problem.hint else await _nearest(station, ref)
        raise NotFound(f"no task or collaboration {ref!r}", hint=hint or "ska team list") from None
    if together is not None and task.id != ref:
        both = f"{together.id} (a collaboration), {task.id} (a task)"
        raise UsageError(f"{ref!r} fits a task and a collaboration", hint=f"use an id: {both}")
    return task


async def tree_of(station: "Workstation", ref: str) -> Branch:
    """One of them with all that is part of it; raises as `find_work` does."""
    root = await find_work(station, ref)
    tasks = {one.id: one for one in await _meanwhile(station, root)}
    together = await station.collaborations.list(limit=_PAGE)
    found = {one.id: one for one in together}
    if isinstance(root, AgentTask):
        tasks[root.id] = root
    else:
        found[root.id] = root
    for tree in _trees(tasks.values(), found.values()):
        for _, branch in flat([tree]):
            if branch.id == root.id:
                return branch
    raise NotFound(f"no task or collaboration {ref!r}", hint="ska team list")


def flat(branches: Iterable[Branch], depth: int = 0) -> Iterator[tuple[int, Branch]]:
    """Every branch with how deep it lies, each before what is below it."""
    for one in branches:
        yield depth, one
        yield from flat(one.children, depth + 1)


def in_order(branches: Iterable[Branch]) -> list[Branch]:
    """What has not ended first, then the newest."""
    newest = sorted(branches, key=lambda one: (one.created_at, one.id), reverse=True)
    return sorted(newest, key=lambda one: one.ended)


def running(branches: Iterable[Branch]) -> int:
    """How many pieces of work have not ended; what is part of another counts with it."""
    return sum(not one.ended for one in branches)


def figures(branch: Branch, now: datetime) -> str:
    """How long it took, what was written and what it cost, as far as there is anything."""
    seconds = branch.seconds(now)
    parts = [span(seconds)] if seconds is not None else []
    if branch.tokens_used:
        parts.append(f"{branch.tokens_used:,} tokens")
    if branch.cost_usd:
        parts.append(usd(branch.cost_usd))
    return " · ".join(parts)


def span(seconds: float) -> str:
    """A span as people read it: `4 s`, `2 min 5 s`, `3 h 10 min`."""
    whole, said = int(seconds), list[str]()
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            said.append(f"{count} {name}")
    return " ".join(said[:2]) or "0 s"


def steps_of(tasks: Iterable[AgentTask], turn: str) -> list[AgentTask]:
    """The tasks a turn of a conversation gave itself, the oldest first."""
    own = (one for one in tasks if one.parent_turn == turn and one.parent_task is None)
    return sorted(own, key=lambda one: (one.created_at, one.id))


# -- asked -----------------------------------------------------------------------------------------


async def _with_parents(
    station: "Workstation", tasks: dict[str, AgentTask], found: dict[str, Collaboration]
) -> None:
    """Adds what the tasks are part of, as far as it is still there."""
    wanted = list(tasks.values())
    while wanted:
        task = wanted.pop()
        if task.parent_task and task.parent_task not in tasks:
            try:
                above = await station.tasks.get(task.parent_task)
            except NotFound:
                continue
            tasks[above.id] = above
            wanted.append(above)
        if task.collaboration and task.collaboration not in found:
            try:
                found[task.collaboration] = await station.collaborations.get(task.collaboration)
            except NotFound:
                continue


async def _nearest(station: "Workstation", ref: str) -> str:
    lately = await station.collaborations.list(limit=_LATELY)
    names = {one.goal: one.id for one in lately} | {one.id: one.id for one in lately}
    name = nearest(ref, names)
    return f"did you mean {names[name]}?" if name else ""


async def _meanwhile(station: "Workstation", root: AgentTask | Collaboration) -> list[AgentTask]:
    """The tasks that were made while it ran: what is part of it is among them."""
    before: tuple[datetime, str] | None = None
    if root.completed_at is not None:
        before = (root.completed_at, "~")
    found: list[AgentTask] = []
    for _ in range(_MOST_PAGES):
        page = await station.tasks.list(limit=_PAGE, before=before)
        found += [one for one in page if one.created_at >= root.created_at]
        if len(page) < _PAGE or page[-1].created_at < root.created_at:
            break
        before = (page[-1].created_at, page[-1].id)
    return found


# -- put together ----------------------------------------------------------------------------------


def _trees(tasks: Iterable[AgentTask], together: Iterable[Collaboration]) -> list[Branch]:
    """The roots of what is given; what is part of something that is not given is a root."""
    every = [*map(_of_collaboration, together), *map(_of_task, tasks)]
    known = {one.id for one in every}
    below: dict[str, list[Branch]] = {}
    roots: list[Branch] = []
    for one in sorted(every, key=lambda one: (one.created_at, one.id)):
        if one.parent in known:
            below.setdefault(str(one.parent), []).append(one)
        else:
            roots.append(one)
    return [_grown(one, below, ()) for one in roots]


def _grown(one: Branch, below: dict[str, list[Branch]], above: Collection[str]) -> Branch:
    inside = [each for each in below.get(one.id, ()) if each.id not in above]
    children = tuple(_grown(each, below, (*above, one.id)) for each in inside)
    if one.kind == "collaboration":
        return replace(one, children=children, **_of_all(one, children))
    return replace(
        one,
        children=children,
        tokens_used=one.tokens_used + sum(each.tokens_used for each in children),
        cost_usd=one.cost_usd + sum(each.cost_usd for each in children),
    )


def _of_all(one: Branch, children: Sequence[Branch]) -> dict[str, float]:
    """What a collaboration knows it has used, or what its steps have used by now."""
    return {
        "tokens_used": max(one.tokens_used, sum(each.tokens_used for each in children)),
        "cost_usd": max(one.cost_usd, sum(each.cost_usd for each in children)),
    }


def _of_collaboration(one: Collaboration) -> Branch:
    return Branch(
        id=one.id,
        kind="collaboration",
        title=one.goal,
        agent=one.lead,
        status=one.status,
        ended=one.ended,
        created_by=one.created_by,
        created_at=one.created_at,
        started_at=one.created_at,
        completed_at=one.completed_at,
        pattern=one.pattern,
        stage=one.current_stage,
        tokens_used=one.total_tokens,
        cost_usd=one.total_cost_usd,
        problem=one.error,
        session=one.conversation,
        parent=one.parent_task,
        result=one.final_output,
        outputs=one.stage_outputs,
        estimate_s=one.estimate_s,
    )


def _of_task(task: AgentTask) -> Branch:
    return Branch(
        id=task.id,
        kind="task",
        title=task.title,
        agent=task.assigned_to,
        status=task.status,
        ended=task.ended,
        created_by=task.created_by,
        created_at=task.created_at,
        started_at=task.started_at,
        completed_at=task.completed_at,
        stage=task.stage,
        tokens_used=task.tokens_used,
        cost_usd=task.cost_usd,
        problem=task.error,
        dead=task.dead,
        attempt=task.attempt,
        session=task.session,
        parent=task.collaboration or task.parent_task,
        instructions=task.instructions,
        result=task.result,
    )
