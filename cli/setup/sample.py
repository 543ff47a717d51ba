"""A month of an invented person's days, played into a home through the same doors as real ones.

Every turn, memory, job and team run goes through the workstation; only the model's words are those
of the script, and the clock stands where the script says.
"""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.errors import ModelUnavailable
from skill_agent.events import TurnFinished
from skill_agent.text.clock import local
from skill_agent.values import NewCollaboration, NewJob, NewMemory, Participant, TurnRequest

if TYPE_CHECKING:
    from skill_agent.models.scripted import Reply
    from skill_agent.ports import ModelRequest
    from skill_agent.workstation import Workstation

MONTH = Path(__file__).with_name("sample_month.toml")
PATIENCE_S = 60.0
"""How long a run or the team may take, which takes a moment."""

LOOK_S = 0.05
_PLAIN = "All right."

Tell = Callable[[str], None]


class SampleClock:
    """The time the script is at; it goes on by a second each time it is read."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(kw_only=True)
class Month:
    """The script, and the clock it moves."""

    today: datetime
    clock: SampleClock = field(init=False)
    script: dict[str, Any] = field(default_factory=lambda: tomllib.loads(MONTH.read_text("utf-8")))

    def __post_init__(self) -> None:
        self.clock = SampleClock(self.today - timedelta(days=31))

    def at(self, day: int, hour: str = "12:00") -> datetime:
        """So many days before today, at an hour of the clock here."""
        here = local(self.today) - timedelta(days=day)
        hours, minutes = map(int, hour.split(":"))
        return here.replace(hour=hours, minute=minutes, second=0, microsecond=0).astimezone(UTC)

    def answer(self, request: "ModelRequest") -> "Reply":
        """What the script has for what is asked last; nothing in particular otherwise."""
        asked = "\n".join(one.content for one in request.messages if one.role == "user")
        known: list[tuple[str, Reply]] = [
            (said, reply) for talk in self.script["talk"] for said, reply in talk["said"]
        ]
        for job in self.script["job"]:
            if "prompt" in job:
                known.append((job["prompt"], job.get("answer") or [ModelUnavailable(job["fails"])]))
        place, reply = max((asked.rfind(said), at) for at, (said, _) in enumerate(known))
        team = self.script["team"]
        if team["goal"] in asked:
            told = "\n".join(one.content for one in request.messages)
            return next((text for name, text in team["answers"].items() if name in told), _PLAIN)
        return known[reply][1] if place >= 0 else _PLAIN


async def play(station: "Workstation", month: Month, tell: Tell) -> None:
    """All of it, the oldest first; raises SkillAgentError where the home refuses something."""
    days = [("talk", one) for one in month.script["talk"]]
    days += [("memory", one) for one in month.script["memory"]]
    for kind, one in sorted(days, key=lambda pair: -pair[1]["day"]):
        month.clock.now = max(month.clock.now, month.at(one["day"], one.get("at", "12:00")))
        if kind == "talk":
            tell(f"{one['day']} days ago: {one['said'][0][0][:60]}")
            await _talk(station, one)
        else:
            await _remember(station, one)
        await station.extractions.run()  # what contradicts what is seen as it comes
    month.clock.now = max(month.clock.now, month.today)
    await _team(station, month.script["team"], tell)
    for one in month.script["job"]:
        await _job(station, one, tell)


async def _talk(station: "Workstation", talk: dict[str, Any]) -> None:
    session, reply = None, ""
    for said, _ in talk["said"]:
        request = TurnRequest(said, agent=talk["agent"], session=session, interactive=False)
        async for event in station.turns.ask(request):
            session = event.session
            if isinstance(event, TurnFinished):
                reply = event.message_id or ""
    if rating := talk.get("rate"):
        await station.feedback.rate(reply, rating)


async def _remember(station: "Workstation", one: dict[str, Any]) -> None:
    new = NewMemory(one["content"], memory_type=one.get("type", "semantic"), agent=one.get("agent"))
    memory = await station.memory.add(new)
    if one.get("pin"):
        await station.memory.pin(memory.id)


async def _team(station: "Workstation", team: dict[str, Any], tell: Tell) -> None:
    tell(f"the team: {team['goal']}")
    new = NewCollaboration(
        team["goal"], pattern=team["pattern"], interactive=False,
        participants=tuple(Participant(slug=slug) for slug in team["with"]),
    )  # fmt: skip
    begun = await station.collaborations.start(new)
    await _ended(lambda: station.collaborations.get(begun.id))


async def _job(station: "Workstation", one: dict[str, Any], tell: Tell) -> None:
    tell(f"a job: {one['name']}")
    new = NewJob(
        one["when"], kind=one.get("kind", "agent"), name=one["name"], agent=one.get("agent"),
        prompt=one.get("prompt", ""),
    )  # fmt: skip
    job = await station.jobs.add(new)
    if one.get("run"):
        run = await station.jobs.run(job.id)
        await _ended(lambda: station.jobs.get_run(run.id))


async def _ended(look: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await look()).ended:  # noqa: ASYNC110 only a list tells of it
            await asyncio.sleep(LOOK_S)
