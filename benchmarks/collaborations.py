"""Whether several agents do better than one: ten small real tasks, each done alone and together.

    python benchmarks/collaborations.py --to FOLDER [--only ID …] [--model NAME] [--json]

Each task is given to one agent alone, and to a team in the pattern that fits it, in homes of their
own, on the home's default model or --model, without chance and on a fixed day. Both results go side
by side into FOLDER/ID.md, to be read by a person: nothing is judged here. What is printed is what
both took. A task takes minutes on a small machine. Exit code 1: no such task.
"""

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from talk_driving import Day, Stage, opened, staged

from skill_agent.events import TurnFailed, TurnFinished
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.values import Attachment, Collaboration, NewCollaboration, Participant, Pattern

LIMIT_S = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is wanted, of whom alone, and of whom together."""

    id: str
    pattern: Pattern
    people: tuple[str, ...]
    alone: str
    goal: str
    material: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """A result, and what it took."""

    text: str
    tokens: int
    seconds: float
    state: str = "completed"
    problem: str = ""


_SALES = "month,units,price\nJan,120,9.5\nFeb,80,9.5\nMar,200,8.0\nApr,210,8.0\n"
_CODE = """def pay(account, amount):
    if account.balance - amount > 0:
        account.balance -= amount
        log.append("paid " + amount)
    return True
"""
_SQL = "SELECT name, SUM(total) FROM orders JOIN customers GROUP BY name WHERE total > 0;"
_NOTES = "Fixed: the app crashed when a file had no name. New: dark mode. Removed: the old export."

TASKS = (
    Task(
        id="code-and-words",
        pattern="supervisor_worker",
        people=("kyra", "luke", "ada"),
        alone="kyra",
        goal="What is wrong with this function, and what would a user notice of it?",
        material=_CODE,
    ),
    Task(
        id="price-cut",
        pattern="supervisor_worker",
        people=("kyra", "ada", "max"),
        alone="ada",
        goal="Did the lower price pay off, and how would we tell customers about it?",
        material=_SALES,
    ),
    Task(
        id="release-notes",
        pattern="pipeline",
        people=("luke", "max"),
        alone="max",
        goal="Turn these notes into three sentences for the people who use the app.",
        material=_NOTES,
    ),
    Task(
        id="sql-explained",
        pattern="pipeline",
        people=("ada", "luke", "kyra"),
        alone="luke",
        goal="Mend this query and explain in plain words what it gives.",
        material=_SQL,
    ),
    Task(
        id="slogan-reviewed",
        pattern="peer_review",
        people=("max", "kyra"),
        alone="max",
        goal="A slogan of at most eight words for a repair shop for bicycles.",
    ),
    Task(
        id="function-reviewed",
        pattern="peer_review",
        people=("ada", "luke"),
        alone="ada",
        goal="Write a Python function that gives the median of a list of numbers, or None.",
    ),
    Task(
        id="bakery-names",
        pattern="brainstorm",
        people=("kyra", "max", "ada"),
        alone="max",
        goal="A name for a small bakery by the sea.",
    ),
    Task(
        id="team-day",
        pattern="brainstorm",
        people=("kyra", "max", "luke"),
        alone="kyra",
        goal="What could a team of eight do together on a rainy day for little money?",
    ),
    Task(
        id="store-choice",
        pattern="consensus",
        people=("kyra", "luke", "ada"),
        alone="luke",
        goal="SQLite or PostgreSQL for a program that one person uses on one laptop?",
    ),
    Task(
        id="who-reads-it",
        pattern="delegation",
        people=("kyra", "luke"),
        alone="kyra",
        goal="Is there a mistake in this function? Name the line.",
        material=_CODE,
    ),
)


async def alone(runtime: Runtime, task: Task) -> Took:
    """One agent, one turn."""
    beside = (Attachment(task.material, origin="file", name="material"),) if task.material else ()
    began = time.perf_counter()
    asked = runtime.ask(task.goal, agent=task.alone, attachments=beside, use_memory=False)
    async with aclosing(asked) as events:
        async for event in events:
            seconds = time.perf_counter() - began
            if isinstance(event, TurnFinished):
                tokens = event.usage.completion_tokens
                return Took(text=event.text, tokens=tokens, seconds=seconds)
            if isinstance(event, TurnFailed):
                return Took(
                    text=event.text, tokens=0, seconds=seconds, state="failed",
                    problem=event.message,
                )  # fmt: skip
    raise AssertionError("a turn has an end")


async def together(runtime: Runtime, task: Task) -> tuple[Took, Collaboration]:
    """The team, in the task's pattern."""
    began = time.perf_counter()
    done = await runtime._team.sessions.run(
        NewCollaboration(
            task.goal,
            pattern=task.pattern,
            participants=tuple(Participant(slug=one) for one in task.people),
            lead=None if task.pattern in ("pipeline", "peer_review") else task.people[0],
            context=task.material,
            max_duration_s=LIMIT_S,
            max_rounds=3,
        )
    )
    took = Took(
        text=done.final_output,
        tokens=done.total_tokens,
        seconds=time.perf_counter() - began,
        state=done.status,
        problem=done.error,
    )
    return took, done


async def compared(stage: Stage, task: Task, to: Path) -> tuple[Took, Took]:
    async with opened(stage, Home(stage.folder / f"{task.id}-alone"), Day()) as runtime:
        one = await alone(runtime, task)
    async with opened(stage, Home(stage.folder / f"{task.id}-team"), Day()) as runtime:
        team, done = await together(runtime, task)
    await asyncio.to_thread((to / f"{task.id}.md").write_text, page(task, one, team, done))
    return one, team


def page(task: Task, one: Took, team: Took, done: Collaboration) -> str:
    """Both results below one another, then each step of the team."""
    material = f"\n```\n{task.material.strip()}\n```\n" if task.material else ""
    parts = [
        f"# {task.goal}\n{material}",
        f"## Alone: {task.alone} ({_figures(one)})\n\n{one.text}",
        f"## Together: {task.pattern}, {', '.join(task.people)} ({_figures(team)})\n\n{team.text}",
        "## Its steps",
        *(
            f"### {step.stage}: {step.agent_slug}, {step.tokens_used} tokens, "
            f"{step.duration_seconds:.0f} s\n\n{step.output or step.problem}"
            for step in done.stage_outputs
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(took: Took) -> str:
    told = f"{took.tokens} tokens, {took.seconds:.0f} s"
    return told if took.state == "completed" else f"{told}, {took.state}: {took.problem}"


async def run(tasks: list[Task], model: str | None, to: Path) -> dict[str, tuple[Took, Took]]:
    found: dict[str, tuple[Took, Took]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with staged(Path(folder), model) as stage:
            for task in tasks:
                found[task.id] = one, team = await compared(stage, task, to)
                ratio = team.seconds / one.seconds
                print(
                    f"{task.id:18} {task.pattern:18} alone {one.tokens:5} tokens "
                    f"{one.seconds:6.1f} s   together {team.tokens:5} tokens "
                    f"{team.seconds:6.1f} s ({ratio:.1f} times)   {team.state}",
                    flush=True,
                )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", type=Path, required=True, help="folder for the pages")
    parser.add_argument("--only", nargs="*", default=[], metavar="ID")
    parser.add_argument("--model")
    parser.add_argument("--json", action="store_true", help="the figures go to FOLDER/figures.json")
    options = parser.parse_args()
    tasks = [one for one in TASKS if not options.only or one.id in options.only]
    if not tasks:
        print(f"no such task; there are {', '.join(one.id for one in TASKS)}")
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    found = asyncio.run(run(tasks, options.model, options.to))
    if options.json:
        figures = {
            name: {"alone": asdict(one), "together": asdict(team)}
            for name, (one, team) in found.items()
        }
        text = json.dumps(figures, ensure_ascii=False, indent=2)
        (options.to / "figures.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
