"""An agent may propose a job where a person watches, and nowhere else."""

from fakes import StepClock
from job_home import OpenHost, looked

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import ModelAbility, ToolCall, TurnRequest

ON = "[features]\ndelegation_by_models = true\n"


async def test_it_waits_for_a_person_and_no_run_makes_one(
    open_host: OpenHost, clock: StepClock, home: Home
) -> None:
    wish = {"when": "every 30m", "prompt": "What waits?", "name": "post"}
    model = ScriptedModel(
        [[ToolCall(id="c", name="propose_job", arguments=wish)], "I proposed it."],
        otherwise="Two mails.",
    )
    async with open_host(model):
        pass
    home.config.write_text(ON, encoding="utf-8")
    async with open_host(model) as station:
        able = ModelAbility(id=model.info.name, able=True, right=9, of=9)
        station._team.offering.abilities.keep(model.info, able)
        async for _ in station.turns.ask(TurnRequest("Look for mail now and then", agent="kyra")):
            pass
        assert "propose_job" in {one.name for one in model.requests[0].tools}
        job = await station.jobs.get("post")
        assert (job.status, job.created_by, job.agent) == ("proposed", "kyra", "kyra")
        assert "agent" in job.origins
        await station.jobs.approve("post")
        clock.advance(minutes=30)
        await looked(station)
        (run,) = await station.jobs.history("post")
        assert (run.state, run.result) == ("completed", "Two mails.")
        assert "agent" in run.origins
        assert "propose_job" not in {one.name for one in model.requests[-1].tools}
