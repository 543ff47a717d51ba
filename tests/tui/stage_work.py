"""Team work in memory: tasks and collaborations that stand in the states they are given."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.jobs.operations import ListOfWork, WorkOperations
from skill_agent.team.operations import (
    CollaborationOperations,
    Collaborations,
    TaskOperations,
    Tasks,
)
from skill_agent.values import (
    AgentTask,
    Collaboration,
    Participant,
    TaskState,
    Work,
    WorkState,
)

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""What runs begins then: a picture of it has 0 s."""
Place = tuple[datetime, str]


def task(name: str, agent: str, title: str, status: TaskState, **more: Any) -> AgentTask:
    begun = {"pending": None, "in_progress": LATER}.get(status, NINE)
    done = None if status in ("pending", "in_progress") else NINE + timedelta(seconds=41)
    usual: dict[str, Any] = {
        "id": name, "assigned_to": agent, "title": title, "status": status,
        "created_by": "person", "instructions": f"{title}, please.", "created_at": NINE,
        "started_at": begun, "completed_at": done, "session": name if begun else None,
    }  # fmt: skip
    return AgentTask(**(usual | more))


class StageTasks(TaskOperations):
    def __init__(self) -> None:
        self.known: dict[str, AgentTask] = {}
        self.said: list[tuple[str, str]] = []
        self.problem: SkillAgentError | None = None

    def put(self, tasks: Iterable[AgentTask]) -> None:
        self.known |= {one.id: one for one in tasks}

    async def list(
        self,
        *,
        status: TaskState | None = None,
        agent: str | None = None,
        collaboration: str | None = None,
        conversation: str | None = None,
        dead: bool = False,
        limit: int = 50,
        before: Place | None = None,
    ) -> Tasks:
        if self.problem is not None:
            raise self.problem
        found = [
            one
            for one in self.known.values()
            if status in (None, one.status) and conversation in (None, one.conversation)
        ]
        return found[::-1][:limit]

    async def get(self, task: str) -> AgentTask:
        if task not in self.known:
            raise NotFound(f"no task {task!r}")
        return self.known[task]

    async def cancel(self, task: str, *, reason: str = "") -> AgentTask:
        one = replace(self.known[task], status="cancelled", error=reason, completed_at=LATER)
        self.known[task] = one
        return one

    async def retry(self, task: str) -> AgentTask:
        one = self.known[task]
        if one.status == "completed":
            raise UsageError(f"{one.title!r} was done", hint=f"ska team show {task}")
        again = replace(one, status="pending", error="", dead=False, started_at=None, attempt=2)
        self.known[task] = replace(again, completed_at=None)
        return self.known[task]

    async def tell(self, task: str, text: str) -> AgentTask:
        self.said.append((task, text))
        return self.known[task]


class StageTogether(CollaborationOperations):
    def __init__(self) -> None:
        self.known: dict[str, Collaboration] = {}

    async def list(self, *, limit: int = 50, before: Place | None = None) -> Collaborations:
        return list(self.known.values())[:limit]

    async def get(self, collaboration: str) -> Collaboration:
        if collaboration not in self.known:
            raise NotFound(f"no collaboration {collaboration!r}")
        return self.known[collaboration]

    async def cancel(
        self, collaboration: str, *, reason: str = "", agent: str | None = None
    ) -> Collaboration:
        one = replace(self.known[collaboration], status="cancelled", completed_at=LATER)
        self.known[collaboration] = one
        return one


class StageBackground(WorkOperations):
    def __init__(self) -> None:
        self.known: dict[str, Work] = {}
        self.looked: list[str] = []
        self.problem: SkillAgentError | None = None

    def put(self, name: str, title: str, state: WorkState, **more: Any) -> None:
        self.known[name] = Work(
            id=name, kind="rebuild", title=title, state=state, created_at=NINE, **more
        )

    async def list(self, *, ended: bool = True, limit: int = 50) -> ListOfWork:
        if self.problem is not None:
            raise self.problem
        return [one for one in self.known.values() if ended or not one.ended][:limit]

    async def get(self, work: str) -> Work:
        self.looked.append(work)
        return self.known[work]

    async def pause(self, work: str) -> Work:
        return self._now(work, "paused")

    async def resume(self, work: str) -> Work:
        return self._now(work, "running")

    async def cancel(self, work: str) -> Work:
        return self._now(work, "cancelled")

    async def retry(self, work: str) -> Work:
        if self.known[work].state == "completed":
            raise UsageError(f"{self.known[work].title} was done", hint=f"ska work show {work}")
        return self._now(work, "pending")

    def _now(self, work: str, state: WorkState) -> Work:
        self.known[work] = replace(self.known[work], state=state)
        return self.known[work]


def behind(background: StageBackground) -> None:
    """Some of everything that may stand in the background."""
    background.put("w1", "Rebuild the search index", "running", progress=0.42,
                   message="indexing: 4,200 of 10,000")  # fmt: skip
    background.put("w2", "Name the garden", "waiting_hitl", progress=0.5, message="Shall I go on?")
    background.put("w3", "Import export.zip from chatgpt", "pending")
    background.put("w4", "Make a backup", "paused", progress=0.1)
    background.put("w5", "Tidy up the memory", "completed", progress=1.0, result="3 merged")
    background.put("w6", "Import notes from obsidian", "dead", error="the disk is full (make room)")


def at_work(tasks: StageTasks, together: StageTogether) -> None:
    """One collaboration with a task done and one that runs, and a task that failed."""
    together.known["tree"] = Collaboration(
        id="tree", goal="Which tree fits a small garden?", pattern="supervisor_worker",
        lead="kyra", status="active", created_at=LATER,
        participants=tuple(Participant(slug=one) for one in ("kyra", "luke", "ada")),
    )  # fmt: skip
    tasks.put([
        task(
            "t1", "luke", "work: Which tree?", "completed", stage="roots", collaboration="tree",
            tokens_used=212, cost_usd=0.0031, result="Shallow roots: an apple on a weak stock.",
        ),
        task("t2", "ada", "work: Which tree?", "in_progress", stage="prices", collaboration="tree",
             tokens_used=96),
        task("t3", "luke", "Review the change", "failed", error="the model did not answer",
             dead=True, attempt=3),
    ])  # fmt: skip
