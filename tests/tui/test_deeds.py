"""The one list of deeds: what it says is what keys do, and every part of the screen goes by it."""

from collections import Counter

import pytest
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.frame.deeds import key_words
from skill_agent.tui.frame.help import KeyLines
from skill_agent.tui.frame.key_bar import KeyBar
from skill_agent.tui.frame.page import PAGE
from skill_agent.tui.inbox.pane import EntryPane
from skill_agent.tui.places import PLACES, all_deeds
from skill_agent.tui.talk import screen, session_list, welcome
from skill_agent.tui.talk.foot import composer
from skill_agent.tui.talk.shown import blocks, reply
from stage import StageRuntime
from textual.widgets import Static

from skill_agent.settings.schema import InterfaceSettings, Settings

EVERY = [*all_deeds(), *PAGE]


def test_ids_are_unique_and_every_deed_can_be_found() -> None:
    assert [one for one, count in Counter(deed.id for deed in EVERY).items() if count > 1] == []
    for deed in EVERY:
        assert deed.keys or deed.slash or deed.shown, deed.id
        assert deed.label or not deed.foot, f"{deed.id} is in the footer without a label"
        assert deed.label or not deed.slash, f"{deed.id} is in the palette without a label"


def test_slash_commands_are_unique() -> None:
    counted = Counter(deed.slash for deed in EVERY if deed.slash)
    assert [one for one, count in counted.items() if count > 1] == []


def nodes() -> list[type]:
    places = [one.load() for one in PLACES]
    found = (
        composer.Composer, welcome.HomeRow, blocks.Block, blocks.FoldedBlock, reply.ReplyBlock,
        EntryPane, session_list.SessionList,
    )  # fmt: skip
    return [WorkstationApp, screen.TalkScreen, *found, *places]


@pytest.mark.parametrize("node", nodes(), ids=lambda one: one.__name__)
def test_every_action_is_there(node: type) -> None:
    """Where a deed is named, what it does is a method of that screen or of the app."""
    for deed in node.DEEDS:
        if deed.action:
            name = deed.action.split("(")[0]
            owner = WorkstationApp if name.startswith("app.") else node
            assert hasattr(owner, f"action_{name.removeprefix('app.')}"), deed.id


def test_every_deed_is_somebodys() -> None:
    named = {deed.id for node in nodes() for deed in node.DEEDS}
    assert [deed.id for deed in EVERY if deed.id not in named] == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ctrl+n", "Ctrl+N"), ("f5", "F5"), ("slash", "/"), ("c", "c"), ("upper_c", "C"),
        ("shift+enter", "Shift+Enter"), ("escape", "Esc"), ("alt+up", "Alt+Up"),
    ],
)  # fmt: skip
def test_keys_in_words(key: str, words: str) -> None:
    assert key_words(key) == words


def bar(app: WorkstationApp) -> str:
    return str(app.screen.query_one(KeyBar).render())


def told(app: WorkstationApp) -> list[str]:
    return [one.message for one in app._notifications]


async def test_the_footer_follows_the_focus(sit) -> None:
    async with sit(StageRuntime([["Hello."]]), size=(160, 40)) as seat:
        assert "Enter sends" in bar(seat.app)
        await seat.say("hi")
        await seat.until(lambda: "Hello." in seat.shown())
        await seat.press("alt+up")
        assert "c copy" in bar(seat.app) and "Enter sends" not in bar(seat.app)
        await seat.press("escape")
        assert "Enter sends" in bar(seat.app)


async def test_a_key_of_ones_own(sit) -> None:
    """It does the deed, the old one does not, and F1 says so."""
    own = InterfaceSettings(keys={"go.memory": "ctrl+f", "go.memroy": "f12"})
    async with sit(StageRuntime(settings=Settings(tui=own)), size=(120, 50)) as seat:
        await seat.until(lambda: any('did you mean "go.memory"' in one for one in told(seat.app)))
        await seat.press("f5")
        assert seat.app.screen is seat.talk
        await seat.press("ctrl+f")
        await seat.at(PLACES[0].load())
        await seat.press("f1")
        shown = [str(one.render()) for one in seat.app.screen.query(KeyLines)]
        keys = [line[:24].strip() for one in shown for line in one.splitlines()]
        assert "Ctrl+F" in keys and "F5, Ctrl+L" not in keys


async def test_the_page_of_all_keys_is_few_widgets_and_says_how_to_leave(sit) -> None:
    """Two for each key take a second to lay out; the last line stays in view at any size."""
    async with sit(StageRuntime(), size=(60, 18)) as seat:
        await seat.press("f1")
        await seat.settled()
        assert len(seat.app.screen.query("*")) < 60
        last = seat.app.screen.query_one(".keys", Static)
        assert last.region.bottom <= 18 and last.region.height == 1
        for one in seat.app.screen.query(KeyLines):
            assert max(len(line) for line in str(one.render()).splitlines()) <= one.size.width


async def test_the_keys_are_told_on_a_small_screen_as_well(sit) -> None:
    async with sit(StageRuntime(), size=(60, 18)) as seat:
        await seat.say("hello")
        await seat.until(lambda: seat.talk.figures.written)
        bar = seat.talk.query_one("#hint", KeyBar)
        assert bar.region.width > 40 and "F1 keys" in str(bar.render())
        await seat.press("alt+up")
        await seat.until(lambda: "c copy" in str(bar.render()))
        assert "F1 keys" in str(bar.render())


async def test_no_two_commands_of_the_palette_are_called_the_same(sit) -> None:
    async with sit(StageRuntime()) as seat:
        names = Counter(one.title for one in seat.app.get_system_commands(seat.talk))
        assert len(names) > 20 and not [name for name, count in names.items() if count > 1]


async def test_places_are_chosen_by_number(sit) -> None:
    async with sit(StageRuntime()) as seat:
        for number, place in enumerate(PLACES, 2):
            await seat.press("ctrl+o", str(number % 10))
            await seat.at(place.load())
        await seat.press("ctrl+o", "1")
        await seat.until(lambda: seat.app.screen is seat.talk)
