"""Jobs in memory, with their runs, for the screens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.jobs.operations import JobOperations, ListOfJobs, ListOfRuns
from skill_agent.values import (
    Job,
    JobChange,
    JobRun,
    NewJob,
    Schedule,
    SchedulePreview,
)

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
EIGHT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def job(name: str, words: str = "every weekday at 8", **more: Any) -> Job:
    schedule = Schedule(kind="cron", expression="0 8 * * 1-5", timezone="UTC", said=words)
    usual: dict[str, Any] = {
        "id": name, "name": name, "kind": "agent", "schedule": schedule, "agent": "kyra",
        "prompt": f"{name}: do it.", "created_at": NINE,
        "next_run": EIGHT, "next_run_local": "Mon 2026-11-23 08:00 UTC",
    }  # fmt: skip
    return Job(**(usual | more))


def run(name: str, of: Job, state: Any = "completed", **more: Any) -> JobRun:
    usual: dict[str, Any] = {
        "id": name, "job": of.id, "name": of.name, "state": state, "due": NINE,
        "started_at": NINE, "ended_at": NINE + timedelta(seconds=12), "result": f"{name}: done.",
        "inbox": "i1",
    }  # fmt: skip
    return JobRun(**(usual | more))


class StageJobs(JobOperations):
    """Understands the words "every weekday at 8" and no others."""

    def __init__(self) -> None:
        self.known: dict[str, Job] = {}
        self.runs: list[JobRun] = []
        self.done: list[tuple[str, str]] = []
        """What was asked for, and of which."""
        self.problem: SkillAgentError | None = None

    def put(self, *jobs: Job) -> None:
        self.known |= {one.id: one for one in jobs}

    async def list(self) -> ListOfJobs:
        if self.problem is not None:
            raise self.problem
        return list(self.known.values())

    async def preview(self, when: str, *, timezone: str = "", count: int = 3) -> SchedulePreview:
        if "weekday" not in when:
            raise UsageError(f"{when!r} is no time", hint="try: every weekday at 8")
        schedule = Schedule(kind="cron", expression="0 8 * * 1-5", said=when)
        return SchedulePreview(schedule=schedule, next_runs=(NINE,), local=("2026-11-23 08:00",))

    async def get(self, job: str) -> Job:
        if job not in self.known:
            raise NotFound(f"no job {job!r}")
        return replace(
            self.known[job],
            next_runs_local=("Mon 2026-11-23 08:00 UTC", "Tue 2026-11-24 08:00 UTC"),
        )

    async def add(self, new: NewJob) -> Job:
        schedule = (await self.preview(new.when)).schedule
        self.put(replace(
            job(new.name or "unnamed"), schedule=schedule, prompt=new.prompt,
            agent=new.agent or "kyra", deliver=new.deliver,
        ))  # fmt: skip
        return self.known[new.name or "unnamed"]

    async def edit(self, job: str, change: JobChange) -> Job:
        before = await self.get(job)
        if change.when is not None:
            before = replace(before, schedule=(await self.preview(change.when)).schedule)
        self.put(replace(before, prompt=change.prompt or before.prompt))
        return self.known[job]

    async def history(self, job: str, *, limit: int = 50) -> ListOfRuns:
        return [one for one in self.runs if one.job == job][:limit]

    async def get_run(self, run: str) -> JobRun:
        return next(one for one in self.runs if one.id == run)

    async def approve(self, job: str) -> Job:
        return self._now("approve", job, status="active")

    async def pause(self, job: str) -> Job:
        return self._now("pause", job, status="paused")

    async def resume(self, job: str) -> Job:
        return self._now("resume", job, status="active", dead=False)

    async def run(self, job: str) -> JobRun:
        one = self._now("run", job, running=True)
        begun = run(f"run-{len(self.runs)}", one, "running", ended_at=None, result="", by_hand=True)
        self.runs.insert(0, begun)
        return begun

    async def remove(self, job: str) -> Job:
        self.done.append(("remove", job))
        return self.known.pop(job)

    async def cancel_run(self, run: str) -> JobRun:
        one = next(one for one in self.runs if one.id == run)
        self.runs[self.runs.index(one)] = replace(one, state="failed", error="stopped")
        self._now("cancel", one.job, running=False)
        return one

    def _now(self, what: str, job: str, **more: Any) -> Job:
        self.done.append((what, job))
        self.known[job] = replace(self.known[job], **more)
        return self.known[job]


def at_their_times(jobs: StageJobs) -> None:
    """Some of everything that may be done at its times."""
    news = job("Morning news", last_run=NINE, last_state="completed",
               prompt="Read the three news pages and tell me in five lines what is new.",
               deliver=("inbox", "telegram"))  # fmt: skip
    prices = job("Prices of roots", agent="luke", dead=True, failures=3, last_run=NINE,
                 last_state="failed", problem="http_get: 503 Service Unavailable",
                 next_run=None, next_run_local="")  # fmt: skip
    jobs.put(
        news,
        prices,
        job("Weekly review", agent="ada", status="proposed", created_by="ada",
            prompt="Read my commits of the week and list what has no test."),
        job("backup", kind="backup", agent="", built_in=True, prompt="", status="paused",
            words="every day at 3"),
    )  # fmt: skip
    jobs.runs = [
        run("r1", news, tokens_used=1840, result="Five lines:\n\nthe river is low."),
        run("r2", news, started_at=NINE - timedelta(days=1), state="failed", error="no answer",
            inbox=None, ended_at=NINE - timedelta(days=1) + timedelta(minutes=2), attempt=3),
        run("r3", prices, "failed", error="http_get: 503 Service Unavailable", hint="look later"),
    ]  # fmt: skip
