"""The agents: looked at, made, changed, talked to; and the models they answer with."""

import pytest
from skill_agent.tui.agents.dialogs import ArchiveDialog, CloneDialog
from skill_agent.tui.agents.draft import Draft, free, step_of
from skill_agent.tui.agents.links import Link
from skill_agent.tui.agents.model_picker import ModelPicker
from skill_agent.tui.agents.rules_dialog import RulesDialog
from skill_agent.tui.agents.screen import AgentsScreen
from skill_agent.tui.agents.wizard import NewAgentDialog
from skill_agent.tui.frame.agents import AgentList, avatar_of
from skill_agent.tui.frame.columns import Columns
from skill_agent.tui.memory.screen import MemoryScreen
from skill_agent.tui.places import PLACES
from stage import TEAM, StageRuntime
from stage_agents import shelf
from stage_book import shelf as memories
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import ConfigError, UsageError
from skill_agent.events import AgentsChanged

NUMBERS = {one.name: str(at % 10) for at, one in enumerate(PLACES, 2)}
"""What one presses in the list of places."""


def text_of(screen: Widget) -> str:
    parts = [str(one.render()) for one in screen.query(Static)]
    parts += [str(one.render()) for one in screen.query(Columns)]
    return " ".join(" ".join(parts).split())


async def opened(seat) -> AgentsScreen:
    await seat.press("ctrl+o", NUMBERS["agents"])
    screen = await seat.at(AgentsScreen)
    await seat.until(lambda: "Remembers" in text_of(screen.pane))
    return screen


async def test_an_agents_page_tells_what_it_is_and_did(sit) -> None:
    stage = StageRuntime(memory=memories())
    shelf(stage.shelf)
    kyra = TEAM[0].model_copy(update={"custom_skill_names": ("weather", "tides", "gone")})
    stage.team = (kyra, *TEAM[1:])
    stage.add_session("Deploying on Mondays", "kyra", "hi")
    async with sit(stage, size=(140, 50)) as seat:
        screen = await opened(seat)
        said = text_of(screen.pane)
        assert "0.71 of 1" in said and "9 good, 1 bad" in said
        assert "$0.02 of $5.00" in said and "$0.31 of $100.00" in said
        assert "weather, tides (asks first), gone (is not there)" in said
        assert "Deploying on Mondays" in said and "scripted/small-1.5b" in said
        assert "http_get:api.open-meteo.com" in said
        assert "3 active · 4 in all" in text_of(screen)


async def test_what_it_remembers_leads_to_those_memories(sit) -> None:
    stage = StageRuntime(memory=memories())
    async with sit(stage, size=(140, 50)) as seat:
        screen = await opened(seat)
        link = next(one for one in screen.query(Link) if "of you" in str(one.render()))
        link.focus()
        await seat.press("enter")
        page = await seat.at(MemoryScreen)
        await seat.until(lambda: page.listing.memories)
        assert {one.memory_type for one in page.listing.memories} == {"user_profile"}
        assert (page._wanted.agent, page._wanted.memory_type) == ("kyra", "user_profile")


async def test_enter_begins_a_talk_with_the_one_chosen(sit) -> None:
    async with sit(StageRuntime(), size=(120, 40)) as seat:
        await opened(seat)
        await seat.press("down", "enter")
        await seat.until(lambda: seat.app.screen is seat.talk)
        await seat.until(lambda: seat.talk.figures.member.slug == "luke")


async def test_one_that_is_paused_is_not_talked_to(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        screen = await opened(seat)
        await seat.press("end", "enter")
        assert seat.app.screen is screen
        await seat.press("p")
        await seat.until(lambda: stage.team[3].status == "active")
        await seat.until(lambda: "4 active" in text_of(screen))
        await seat.press("a")
        await seat.at(ArchiveDialog)
        await seat.press("enter")
        await seat.until(lambda: stage.team[3].status == "archived")


async def test_a_clone_gets_the_nearest_free_name(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        await opened(seat)
        await seat.press("c")
        await seat.at(CloneDialog)
        await seat.press(*"Kyra", "enter")
        await seat.until(lambda: [one.slug for one in stage.team][-1] == "kyra-2")


async def test_what_it_may_always_do_is_taken_back(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        screen = await opened(seat)
        await seat.until(lambda: "open-meteo" in text_of(screen))
        await seat.press("v")
        await seat.at(RulesDialog)
        await seat.press("enter")
        await seat.until(lambda: "open-meteo" not in text_of(screen))
        assert await stage.approvals.rules() == []
        await seat.press("v")
        await seat.until(
            lambda: any("asks for every" in one.message for one in seat.app._notifications)
        )
        assert seat.app.screen is screen


# -- a new agent -------------------------------------------------------------------------------


async def test_a_new_agent_can_be_talked_to_at_once(sit) -> None:
    stage = StageRuntime()
    shelf(stage.shelf)
    async with sit(stage, size=(120, 40)) as seat:
        await opened(seat)
        await seat.press("n")
        dialog = await seat.at(NewAgentDialog)
        await seat.press(*"Zoe Smith", "enter")
        assert dialog.query_one("#wizard-slug", Input).value == "zoe-smith"
        await seat.press("enter", *"Knows frost", "enter")
        await seat.press("down", "enter")  # the reviewer
        await seat.until(lambda: dialog._draft.skills == ("code-review",))
        await seat.press("enter", "enter")
        await seat.until(lambda: "[agents.zoe-smith]" in text_of(dialog))
        assert 'custom_skill_names = ["code-review"]' in text_of(dialog)
        assert not stage.people.made
        await seat.press("enter")
        screen = await seat.at(AgentsScreen)
        await seat.until(lambda: screen.listing.chosen.slug == "zoe-smith")
        (made,) = stage.people.made
        assert (made["name"], made["tagline"]) == ("Zoe Smith", "Knows frost")
        assert made["personality"]["tone"] == "direct"
        await seat.press("enter")
        await seat.until(lambda: seat.talk.figures.member.name == "Zoe Smith")
        await seat.say("hello")
        await seat.until(lambda: stage.submitted)
        assert stage.submitted[-1][2] == "zoe-smith"


async def test_leaving_half_way_makes_nothing(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        screen = await opened(seat)
        await seat.press("n")
        dialog = await seat.at(NewAgentDialog)
        await seat.press("enter")
        assert "name: it needs one" in text_of(dialog)
        await seat.press(*"Kyra", "tab", *"kyra", "enter")
        assert "there is a kyra already; kyra-2 is free" in text_of(dialog)
        await seat.press("shift+tab", *"Bo", "tab", *"bo", "enter", "enter")
        assert dialog._step == 1
        await seat.press("escape", "escape")
        assert seat.app.screen is screen and not stage.people.made


async def test_what_is_refused_names_the_field_and_leads_to_it(sit) -> None:
    stage = StageRuntime()
    stage.people.refuses = UsageError("agents.bo.avatar_emoji: too long", hint="one sign")
    async with sit(stage, size=(120, 40)) as seat:
        await opened(seat)
        await seat.press("n")
        dialog = await seat.at(NewAgentDialog)
        await seat.press(*"Bo", "enter", "enter", *["enter"] * 5)
        await seat.until(lambda: dialog._step == 3)
        assert "avatar_emoji: too long" in text_of(dialog)
        stage.people.refuses = None
        await seat.press("enter", "enter")
        await seat.at(AgentsScreen)
        assert len(stage.people.made) == 1


def test_a_draft_says_what_is_wrong_with_it() -> None:
    assert Draft().problem(0, ()).startswith("name")
    assert "bo-2 is free" in Draft(name="Bo", slug="bo").problem(0, ("bo",))
    assert Draft(name="Bo", slug="bo").problem(0, ("ada",)) == ""
    assert free("a" * 40, ("a" * 40,)) == "a" * 36 + "-2"
    assert step_of("agents.bo.model.model_name: unknown", "bo") == 3
    assert step_of("the disk is full", "bo") == 4


@pytest.mark.parametrize(
    ("written", "shown"), [("🌿", "🌿"), ("👨\u200d🌾", ""), ("x", ""), ("", "")]
)
def test_an_avatar_is_as_wide_everywhere(written: str, shown: str) -> None:
    assert avatar_of(written) == shown


# -- models ------------------------------------------------------------------------------------


async def picker(seat) -> ModelPicker:
    await seat.press("alt+m")
    found = await seat.at(ModelPicker)
    await seat.until(lambda: found.query_one(OptionList).option_count > 2)
    return found


def rows(dialog: ModelPicker) -> str:
    options = dialog.query_one(OptionList).options
    return "\n".join(str(one.prompt) for one in options)


async def test_models_are_offered_with_what_is_in_their_way(sit) -> None:
    async with sit(StageRuntime(), size=(120, 40)) as seat:
        dialog = await picker(seat)
        said = rows(dialog)
        assert "ska models pull qwen3-8b" in said and "ANTHROPIC_API_KEY" in said
        assert "small-1.5b  now" in said and "$0.15/$0.60 per million" in said and "1.1 GB" in said
        await seat.press(*"claude", "enter")
        await seat.until(lambda: "cannot answer yet" in text_of(dialog))
        assert seat.app.screen is dialog


async def test_a_model_for_one_talk_goes_with_its_messages(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        await picker(seat)
        await seat.press(*"mini", "enter")
        await seat.until(lambda: seat.talk.figures.model == "openai/gpt-4o-mini")
        await seat.say("one")
        await seat.until(lambda: stage.models_asked == ["openai/gpt-4o-mini"])
        await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))
        await seat.say("two")
        await seat.until(lambda: stage.models_asked == ["openai/gpt-4o-mini"] * 2)
        await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.session_id is None)
        await seat.say("three")
        await seat.until(lambda: stage.models_asked[2:] == [None])
        assert stage.team[0].model.model_name == "default"


async def test_a_model_from_now_on_is_the_agents(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        await picker(seat)
        await seat.press(*"mini", "tab", "enter")
        await seat.until(lambda: stage.team[0].model.model_name == "openai/gpt-4o-mini")
        await seat.until(lambda: seat.talk.figures.model == "openai/gpt-4o-mini")
        await seat.say("one")
        await seat.until(lambda: stage.models_asked == [None])


async def test_a_model_that_is_refused_is_told(sit) -> None:
    stage = StageRuntime()
    stage.people.refuses = ConfigError("agents.toml has mistakes")
    async with sit(stage, size=(120, 40)) as seat:
        await picker(seat)
        await seat.press(*"mini", "tab", "enter")
        await seat.until(lambda: "The model was not changed" in seat.shown())


# -- the team of the talk ----------------------------------------------------------------------


async def test_the_talk_hears_of_agents_that_came_elsewhere(sit) -> None:
    stage = StageRuntime()
    async with sit(stage, size=(120, 40)) as seat:
        stage.team = (*TEAM, AgentDNA(slug="zoe", name="Zoe"))
        stage.bus.publish(AgentsChanged(agent="zoe"))
        await seat.until(lambda: len(seat.talk.members()) == 4)
        assert [one.slug for one in seat.talk.members()] == ["kyra", "luke", "ada", "zoe"]


def test_a_list_of_agents_becomes_another_in_place() -> None:
    team = AgentList(TEAM)
    assert not team.become(TEAM)
    assert team.become(TEAM[:2]) and [one.slug for one in team.all()] == ["kyra", "luke"]
