"""Runs of jobs as receivers hear of them: by the note of their end, whatever comes of the host."""

from typing import Any

from fakes import StepClock
from receiver import Receiver
from webhook_home import Opened, added, looked, webhooks

from skill_agent.host.runtime import Runtime
from skill_agent.values import JobRun, NewMemory

ADDED = {"event_id", "timestamp", "home"}


class Runs:
    """Runs as the jobs of a home keep them."""

    def __init__(self, runtime: Runtime, clock: StepClock) -> None:
        self._runtime, self._clock = runtime, clock
        self._runs: dict[str, JobRun] = {}

    async def find(self, run: str) -> JobRun | None:
        return self._runs.get(run)

    async def is_now(self, key: str, **state: Any) -> None:
        """A run stands so, and its note says it."""
        fields = {"job": "j1", "agent": "kyra", "fence": 1, "due": self._clock.now, **state}
        run = self._runs[key] = JobRun(id=key, **fields)
        again = "2026-11-21T09:00:00Z" if run.next_try else None
        note = {"job": run.job, "state": run.state, "fence": run.fence, "next_try": again}
        await self._runtime.ledger.note("job.run", key, actor="host", data=note)


async def test_ends_are_told_and_nothing_else_of_a_run(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "job.completed", "job.failed")
        runs = Runs(runtime, clock)
        hooks = webhooks(runtime, clock, find_run=runs.find)
        await runs.is_now("r1", state="claimed")
        await runs.is_now("r1", state="running")
        await looked(hooks)
        await runs.is_now("r1", state="completed", result="All mail\nis read. " * 40)
        await runs.is_now("r2", state="failed", error="no model", next_try=clock.now)
        await runs.is_now("r3", state="missed")
        await runs.is_now("r4", state="skipped")
        await looked(hooks)
        (done,) = receiver.cleared()
        assert done.event == "job.completed"
        assert done.fields.keys() - ADDED == {"job_id", "agent_id", "result_preview"}
        assert (done.fields["job_id"], done.fields["agent_id"]) == ("j1", "kyra")
        assert done.fields["result_preview"].startswith("All mail is read. All")
        assert len(done.fields["result_preview"]) <= 200
        await runs.is_now("r2", state="failed", error="no model", attempt=2)
        await runs.is_now("r5", state="unknown")
        await looked(hooks)
        assert receiver.events == ["job.failed", "job.failed"]
        failed, unknown = receiver.cleared()
        assert failed.fields.keys() - ADDED == {"job_id", "agent_id", "error"}
        assert failed.fields["error"] == "no model"
        assert unknown.fields["error"] == "nobody knows whether it was done"


async def test_an_older_claim_has_no_say_and_an_end_is_told_once(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await added(runtime, receiver.url, "job.completed", "job.failed")
        runs = Runs(runtime, clock)
        hooks = webhooks(runtime, clock, find_run=runs.find)
        await runs.is_now("r1", state="failed", error="an older claim")
        await runs.is_now("r1", state="completed", fence=2)
        await runs.is_now("r1", state="completed", fence=2, inbox="delivered meanwhile")
        await looked(hooks)
        assert receiver.events == ["job.completed"]


async def test_a_result_that_repeats_what_is_private_is_left_out(
    opened: Opened, receiver: Receiver, clock: StepClock
) -> None:
    async with opened() as runtime:
        await runtime.memory.add(
            NewMemory("The safe opens with 4711", memory_type="agent_private", agent="kyra")
        )
        await added(runtime, receiver.url, "job.completed")
        runs = Runs(runtime, clock)
        result = "Good morning. The safe opens with 4711, as ever."
        await runs.is_now("r1", state="completed", result=result)
        await looked(webhooks(runtime, clock, find_run=runs.find))
        assert [one.fields["result_preview"] for one in receiver.got] == [""]
