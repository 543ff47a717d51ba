"""A model chosen in the window answers, and an agent made there speaks: real runtime and files."""

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from in_process import open_in_process
from skill_agent.tui.agents.model_picker import ModelPicker
from skill_agent.tui.agents.screen import AgentsScreen
from skill_agent.tui.agents.wizard import NewAgentDialog
from skill_agent.tui.places import PLACES
from textual.widgets import OptionList

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

AGENTS = str([one.name for one in PLACES].index("agents") + 2)


def opener(home: Home, clock: StepClock, gateway: ScriptedGateway) -> Any:
    def opened() -> AbstractAsyncContextManager[Any]:
        begin = partial(open_in_process, home.root, create=True)
        return begin(gateway=gateway, embedder=HashEmbedder(), clock=clock)

    return opened


def two() -> tuple[ScriptedGateway, ScriptedModel]:
    usual = ScriptedModel([], otherwise="the usual one")
    other = ScriptedModel([], otherwise="the other one", name="scripted/other")
    names = {"default": usual, "scripted/other": other}
    return ScriptedGateway({**names}), other


async def pick(seat, *keys: str) -> None:
    await seat.press("alt+m")
    dialog = await seat.at(ModelPicker)
    await seat.until(lambda: dialog.query_one(OptionList).option_count > 2)
    await seat.press(*"other", *keys)
    await seat.until(lambda: seat.app.screen is seat.talk)


async def idle(seat) -> None:
    await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))


async def test_the_model_of_one_talk_answers_there_only(sit, home, clock) -> None:
    gateway, other = two()
    async with sit(opener(home, clock, gateway), size=(120, 36)) as seat:
        await pick(seat, "enter")
        await seat.until(lambda: seat.talk.figures.model == "scripted/other")
        await seat.say("What is new?")
        await seat.until(lambda: "the other one" in seat.shown())
        await idle(seat)
        assert other.requests and seat.talk.figures.model == "scripted/other"
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.session_id is None)
        await seat.say("And here?")
        await seat.until(lambda: "the usual one" in seat.shown())


async def test_a_model_from_now_on_stands_in_agents_toml(sit, home, clock) -> None:
    gateway, _ = two()
    async with sit(opener(home, clock, gateway), size=(120, 36)) as seat:
        comments = [line for line in home.agents.read_text().splitlines() if "#" in line]
        await pick(seat, "tab", "enter")
        await seat.until(lambda: seat.talk.figures.model == "scripted/other")
        await seat.say("What is new?")
        await seat.until(lambda: "the other one" in seat.shown())
        text = home.agents.read_text()
        assert 'model_name = "scripted/other"' in text
        assert [line for line in comments if line not in text] == []


@pytest.mark.deep
async def test_a_new_agent_speaks_with_what_was_chosen_for_it(sit, home, clock) -> None:
    gateway, other = two()
    async with sit(opener(home, clock, gateway), size=(120, 40)) as seat:
        await seat.press("ctrl+o", AGENTS)
        await seat.at(AgentsScreen)
        await seat.press("n")
        dialog = await seat.at(NewAgentDialog)
        await seat.press(*"Zoe", "enter", "enter", "enter", "enter", "enter")
        await seat.until(lambda: dialog.query_one("#wizard-model", OptionList).option_count > 2)
        await seat.press("end", "enter", "enter")
        screen = await seat.at(AgentsScreen)
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.slug == "zoe")
        await seat.press("enter")
        await seat.until(lambda: seat.talk.figures.member.name == "Zoe")
        await seat.say("Who are you?")
        await seat.until(lambda: "the other one" in seat.shown())
        assert "You are Zoe" in other.requests[-1].messages[0].content
        assert "[agents.zoe.personality]" in home.agents.read_text()
