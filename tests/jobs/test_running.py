"""From a fire time to its one outcome, over real stores and a clock moved by hand."""

from fakes import StepClock
from job_home import OpenHost, looked

from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import NewJob


async def test_a_job_runs_at_its_time(open_host: OpenHost, clock: StepClock) -> None:
    async with open_host(ScriptedModel(["Two mails wait."])) as station:
        job = await station.jobs.add(NewJob("every 30m", prompt="What waits?", name="post"))
        assert job.next_run is not None
        await looked(station)
        assert await station.jobs.history("post") == []
        clock.advance(minutes=30)
        await looked(station)
        (run,) = await station.jobs.history("post")
        assert (run.state, run.result, run.late) == ("completed", "Two mails wait.", False), run
        assert run.session is not None
        session = await station.conversations.find(run.session)
        assert session.title.startswith("post, ")
