"""A home whose agents pay a provider on this machine, at a price of our own."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes import HashEmbedder
from in_process import open_in_process
from skill_agent.cli.opening.home_files import init_home

from skill_agent.events import Event, Notice, TurnFailed, TurnFinished
from skill_agent.files.home import Home
from skill_agent.files.private import write_private
from skill_agent.host.runtime import Runtime

DEAR, MIDDLING, CHEAP = "openai/paid-dear", "openai/paid-middling", "openai/paid-cheap"
UNKNOWN = "openai/of-no-price"
ROOM = 100
"""Tokens a reply may take: a dollar's worth at the dear model, ten cents' at the cheap one."""
AGENT = """
[agents.kyra]
name = "Kyra"

[agents.kyra.model]
model_name = "{model}"
max_output_tokens = {room}
{more}
"""


def know_prices() -> None:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    for name, price in ((DEAR, 0.01), (MIDDLING, 0.004), (CHEAP, 0.001)):
        entry = {"input_cost_per_token": 0.0, "output_cost_per_token": price}
        more = {"litellm_provider": "openai", "mode": "chat"}
        litellm.register_model({name.partition("/")[2]: entry | more})


def make_home(folder: Path, base: str, more: str = "", *, model: str = DEAR, **models: Any) -> Home:
    """One agent, Kyra, who speaks with a paid model; `more` are keys of her model's table."""
    home = Home(folder)
    chosen = {"models.default": model, "models.api_base": {"openai": base}}
    chosen |= {f"models.{name}": value for name, value in models.items()}
    init_home(home, chosen)
    change_agent(home, more, model=model)
    return home


def change_agent(home: Home, more: str, *, model: str = DEAR) -> None:
    write_private(home.agents, AGENT.format(model=model, room=ROOM, more=more))


@asynccontextmanager
async def opened(home: Home, **parts: Any) -> AsyncIterator[Runtime]:
    know_prices()
    async with open_in_process(home.root, embedder=HashEmbedder(), **parts) as runtime:
        yield runtime


async def ask(runtime: Runtime, text: str = "hi", **wishes: Any) -> list[Event]:
    return [event async for event in runtime.ask(text, use_memory=False, **wishes)]


def end(events: list[Event]) -> TurnFinished | TurnFailed:
    last = events[-1]
    assert isinstance(last, TurnFinished | TurnFailed)
    return last


def notices(events: list[Event]) -> list[str]:
    return [one.text for one in events if isinstance(one, Notice)]
