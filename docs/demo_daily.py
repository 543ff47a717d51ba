"""What a day came to, in a home that is thrown away: `make demo-daily`.

A day of conversation is put into a real home, a job sums it up, and what landed in the inbox is
shown. Where the embedded model is installed it words some of it; everything stands without it.
"""

import asyncio
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from skill_agent.cli.opening.home import open_home

from skill_agent.files.bundled import bundled_agents_path
from skill_agent.files.home import find_home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.text.clock import zone_here
from skill_agent.values import JobRun, Message, NewJob, Role, Session

DAY = {
    "The importer": (
        "Back at the importer today.",
        "We decided to ship it without XML support.",
        "I'll write the migration notes by Friday.",
        "What is the difference between a list and a tuple?",
        "I still don't know where the logs should go.",
    ),
    "Mia's party": (
        "Mia turns seven on Saturday, and she is very excited.",
        "Paul will pick up the balloons tomorrow.",
        "We agreed to invite ten children and not more.",
        "We don't know yet if Leo's parents are coming.",
    ),
}
ROLES: tuple[Role, ...] = ("user", "assistant")


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m")


async def put(runtime: Runtime) -> None:
    """The day's talks, one sentence a minute, until now."""
    at = datetime.now().astimezone() - timedelta(minutes=sum(map(len, DAY.values())) + 1)
    for title, lines in DAY.items():
        session = Session(id=new_id(), title=title, agent="kyra", created_at=at, updated_at=at)
        await runtime.ledger.create_session(session)
        say(title)
        for line in lines:
            at += timedelta(minutes=1)
            turn = new_id()
            for role in ROLES:
                text = line if role == "user" else "All right."
                await runtime.ledger.save_message(
                    Message(
                        id=new_id(), session=session.id, turn=turn, role=role, content=text,
                        created_at=at, agent="kyra", zone=zone_here(),
                    )
                )  # fmt: skip
            print(f"  {at:%H:%M}  {line}")


async def summed_up(runtime: Runtime) -> JobRun:
    """The end of one run of a job that sums up."""
    when = "weekdays at 18:00"
    say(f'$ ska jobs add "{when}" --kind summary --name daily --yes')
    job = await runtime.jobs.add(NewJob(when, kind="summary", name="daily"))
    print(f"  next: {job.next_run_local}")
    say("$ ska jobs run daily")
    run = await runtime.jobs.run(job.id)
    while not run.ended:
        await asyncio.sleep(0.2)
        run = await runtime.jobs.get_run(run.id)
    return run


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ska-daily-") as folder:
        home = Path(folder)
        shutil.copy(bundled_agents_path(), home / "agents.toml")
        (home / "config.toml").touch(mode=0o600)
        if (models := find_home().models).is_dir():
            (home / "models").symlink_to(models.resolve())
        async with open_home(home, hosting=True) as runtime:
            assert isinstance(runtime, Runtime)
            await put(runtime)
            run = await summed_up(runtime)
            print(f"  {run.state}, {run.tokens_used} tokens written")
            say("In the inbox:")
            for item in await runtime.inbox.list():
                print(f"\n{item.text}")
    say("Your turn")
    print('  ska jobs add "weekdays at 18:00" --kind summary   # each weekday, in your inbox')
    print("  ska summary                                       # at once")


if __name__ == "__main__":
    asyncio.run(main())
