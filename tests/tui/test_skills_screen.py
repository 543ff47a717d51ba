"""The skills: read before they are trusted, refused ones with their reason, made tools of."""

import pytest
from skill_agent.tui.agents.screen import AgentsScreen
from skill_agent.tui.frame.agents import Member
from skill_agent.tui.frame.columns import Columns
from skill_agent.tui.places import PLACES
from skill_agent.tui.skills.dialogs import ApproveDialog, ToolDialog
from skill_agent.tui.skills.rows import SHOWN, Entry, wanted
from skill_agent.tui.skills.screen import SkillsScreen
from stage import TEAM, StageRuntime
from stage_agents import shelf, skill
from textual.widget import Widget
from textual.widgets import Static

NUMBERS = {one.name: str(at % 10) for at, one in enumerate(PLACES, 2)}
"""What one presses in the list of places."""


def text_of(screen: Widget) -> str:
    parts = [str(one.render()) for one in screen.query(Static)]
    parts += [str(one.render()) for one in screen.query(Columns)]
    return " ".join(" ".join(parts).split())


async def opened(seat, shown: str = "What code-review is for.") -> SkillsScreen:
    await seat.press("ctrl+o", NUMBERS["skills"])
    screen = await seat.at(SkillsScreen)
    await seat.until(lambda: shown in text_of(screen.pane))
    return screen


def stage() -> StageRuntime:
    made = StageRuntime()
    shelf(made.shelf)
    made.team = (TEAM[0].model_copy(update={"custom_skill_names": ("tides",)}), *TEAM[1:])
    return made


async def choose(seat, screen: SkillsScreen, name: str) -> None:
    screen.listing.highlighted = next(
        at for at, one in enumerate(screen.listing.options) if (one.id or "").endswith(name)
    )
    await seat.until(lambda: screen._page is not None and screen._page.skill.name == name)


async def test_a_skill_is_read_and_then_approved(sit) -> None:
    made = stage()
    async with sit(made, size=(140, 50)) as seat:
        screen = await opened(seat)
        assert "2 wait for you · 1 refused · 6 in all" in text_of(screen)
        await choose(seat, screen, "tides")
        await seat.until(lambda: "not approved yet" in text_of(screen.pane))
        await seat.settled()
        said = text_of(screen.pane)
        assert "Find the place" in said and "had by Kyra" in said and "this home" in said
        assert "longer than other programs take" in said and "references/codes.md" in said
        await seat.press("a")
        await seat.at(ApproveDialog)
        await seat.press("escape")
        assert made.shelf.known["tides"].trust == "not approved"
        await seat.press("a")
        await seat.at(ApproveDialog)
        await seat.press("enter")
        await seat.until(lambda: made.shelf.known["tides"].trust == "approved")
        await seat.until(lambda: "approved for every agent" in text_of(screen.pane))
        await seat.press("r")
        await seat.until(lambda: made.shelf.known["tides"].trust == "not approved")


async def test_what_changed_meanwhile_is_not_approved(sit) -> None:
    made = stage()
    async with sit(made, size=(140, 50)) as seat:
        screen = await opened(seat)
        await choose(seat, screen, "tides")
        await seat.press("a")
        await seat.at(ApproveDialog)
        made.shelf.put(skill("tides", "not approved", digest="other"))
        await seat.press("enter")
        await seat.until(lambda: any("has changed" in one.title for one in seat.app._notifications))
        assert made.shelf.known["tides"].trust == "not approved"


async def test_a_refused_one_is_there_with_its_reason(sit) -> None:
    async with sit(stage(), size=(140, 50)) as seat:
        screen = await opened(seat)
        await choose(seat, screen, "broken")
        await seat.until(lambda: "has no front matter" in text_of(screen.pane))
        assert "refused" in text_of(screen.pane)
        await seat.press("a")
        assert seat.app.screen is screen


async def test_a_tool_is_made_of_it_and_taken_away(sit) -> None:
    made = stage()
    async with sit(made, size=(140, 50)) as seat:
        screen = await opened(seat)
        await seat.press("t")
        await seat.at(ToolDialog)
        await seat.press("down", "enter")
        await seat.until(lambda: "a tool of luke" in text_of(screen.pane))
        await seat.press("t")
        await seat.at(ToolDialog)
        await seat.press("down", "enter")
        await seat.until(lambda: "a tool of luke" not in text_of(screen.pane))


async def test_a_click_on_an_agents_name_goes_to_its_page(sit) -> None:
    made = stage()
    made.team = (*TEAM[:1], TEAM[1].model_copy(update={"custom_skill_names": ("code-review",)}))
    async with sit(made, size=(140, 50)) as seat:
        screen = await opened(seat)
        facts = screen.pane.query_one(Columns)
        lines = str(facts.render()).splitlines()
        row = next(at for at, one in enumerate(lines) if "Luke" in one)
        await seat.pilot.click(facts, offset=(lines[row].find("Luke") + 1, row))
        page = await seat.at(AgentsScreen)
        await seat.until(lambda: page.listing.chosen and page.listing.chosen.slug == "luke")


async def test_searching_and_filtering(sit) -> None:
    async with sit(stage(), size=(140, 50)) as seat:
        screen = await opened(seat)
        await seat.press("slash", *"sea art")
        await seat.until(lambda: "Nothing matches" in text_of(screen))
        await seat.press("escape", *"sea", "enter")
        await seat.until(lambda: [one.id for one in screen.listing.options] == ["tides"])
        await seat.press("x", "f", "f")
        await seat.until(lambda: screen.listing.option_count == 1)
        chosen = screen.listing.chosen
        assert chosen is not None and chosen.skill.name == "broken"


def test_what_is_shown() -> None:
    kyra = Member(slug="kyra", name="Kyra")
    found = [Entry(skill=skill("a"), agents=(kyra,)), Entry(skill=skill("b", "changed")),
             Entry(skill=skill("c", loaded=False, reason="empty"))]  # fmt: skip
    names = [[one.skill.name for one in wanted(found, show, "")] for show in SHOWN]
    assert names == [["a", "b", "c"], ["b"], ["c"], ["a"]]
    assert [one.skill.name for one in wanted(found, "all", "kyra")] == ["a"]


@pytest.mark.deep
async def test_hostile_text_drives_no_terminal(sit) -> None:
    made = stage()
    made.shelf.text = "[bold]x[/bold] \x1b[31mred\x1b[0m \u202e"
    async with sit(made, size=(140, 50)) as seat:
        screen = await opened(seat)
        await seat.until(lambda: "[bold]x[/bold]" in text_of(screen.pane))
        assert "\x1b" not in text_of(screen.pane) and "\u202e" not in text_of(screen.pane)
