"""A home with a model for each tier, all of them scripted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes import HashEmbedder
from in_process import open_in_process
from skill_agent.cli.opening.home_files import init_home

from skill_agent.events import Event, TurnFailed, TurnFinished, TurnStarted
from skill_agent.files.home import Home
from skill_agent.files.private import write_private
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Usage

ROLES = {"fast": "s/fast", "balanced": "s/balanced", "powerful": "s/powerful"}
EASY = "What's the capital of Australia?"
MIDDLING = "Write an email to my landlord asking him to repair the heating"
HARD = "Refactor this 500-line module into clean architecture with dependency injection"
AGENT = '[agents.kyra]\nname = "Kyra"\n\n[agents.kyra.model]\n'


class Tiers:
    """The scripted models by tier, and the default one."""

    def __init__(self) -> None:
        self.models = {
            name: ScriptedModel(otherwise="All right.", name=name)
            for name in (*ROLES.values(), "s/own")
        }

    def __getitem__(self, tier: str) -> ScriptedModel:
        return self.models[f"s/{tier}"]

    def gateway(self) -> ScriptedGateway:
        return ScriptedGateway({**self.models, "default": self["own"]})

    @property
    def calls(self) -> int:
        return sum(len(one.requests) for one in self.models.values())


@asynccontextmanager
async def tiered(
    folder: Path, more: str = "", *, roles: dict[str, str] = ROLES, **settings: Any
) -> AsyncIterator[tuple[Runtime, Tiers]]:
    """One agent, Kyra; `more` are keys of her model's table, `settings` those of config.toml."""
    home = Home(folder / "home")
    chosen = {f"models.roles.{tier}": name for tier, name in roles.items()}
    chosen |= {"models.default": "s/own"}
    chosen |= {name.replace("__", "."): value for name, value in settings.items()}
    init_home(home, chosen)
    change(folder, more)
    tiers = Tiers()
    async with open_in_process(
        home.root, gateway=tiers.gateway(), embedder=HashEmbedder()
    ) as runtime:
        yield runtime, tiers


def change(folder: Path, more: str) -> None:
    """Kyra's model's table as it is from now on."""
    write_private(Home(folder / "home").agents, AGENT + more + "\n")


async def said(runtime: Runtime, text: str, **wishes: Any) -> tuple[TurnStarted, Usage, str]:
    """How a turn began, what it used, and its conversation."""
    events: list[Event] = [event async for event in runtime.ask(text, **wishes)]
    last = events[-1]
    assert isinstance(last, TurnFinished), last.message if isinstance(last, TurnFailed) else last
    (begun,) = [one for one in events if isinstance(one, TurnStarted)]
    return begun, last.usage, last.session
