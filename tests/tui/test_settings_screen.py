"""The settings screen over a real config.toml: searched, changed by kind, refused in words."""

from pathlib import Path

import pytest
from skill_agent.tui.settings.dialogs import ChoiceDialog, WriteDialog
from skill_agent.tui.settings.screen import SettingsScreen
from stage import StageRuntime
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static, TextArea

from skill_agent.settings.config_file import ConfigFile
from skill_agent.settings.schema import Settings
from skill_agent.settings.template import default_config_text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(default_config_text({"models.default": "a/b"}), encoding="utf-8")
    return path


def stage_with(file: Path, env: dict[str, str] | None = None) -> StageRuntime:
    config = ConfigFile(file, env or {}, running=Settings(), slugs=lambda: ("kyra", "luke"))
    return StageRuntime(groups={"config": config})


async def opened(seat, choose: str = "") -> SettingsScreen:
    await seat.app.run_action(f"app.place('settings', '{choose}')")
    screen = await seat.at(SettingsScreen)
    await seat.until(lambda: screen.listing.settings)
    if choose:
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.id == choose)
    return screen


def told(widget: Widget) -> str:
    return " ".join(" ".join(str(one.render()) for one in widget.query(Static)).split())


def said(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def protect(file: Path, mode: int) -> None:
    file.chmod(mode)


def toasts(seat) -> str:
    return " ".join(f"{one.title} {one.message}" for one in seat.app._notifications)


async def test_f10_shows_every_key_with_its_meaning_and_origin(sit, file: Path) -> None:
    async with sit(stage_with(file), size=(130, 40)) as seat:
        await seat.press("f10")
        screen = await seat.at(SettingsScreen)
        await seat.until(lambda: screen.listing.settings)
        assert len(screen.listing.settings) == len(ConfigFile(file, {}).read())
        await seat.until(lambda: "Slug of the agent" in told(screen.pane))
        await seat.press("slash", *"first token", "enter")
        await seat.until(lambda: [one.id for one in screen.listing.settings]
                         == ["models.timeout_s"])  # fmt: skip
        await seat.until(lambda: "a number above 0" in told(screen.pane))
        await seat.press("x", "m")
        await seat.until(lambda: [one.id for one in screen.listing.settings] == ["models.default"])
        await seat.until(lambda: "config.toml, line" in told(screen.pane))
        await seat.press("slash", *"zzz")
        words = screen.query_one("#page-none", Static)
        await seat.until(lambda: "No setting matches" in str(words.render()))


async def test_a_switch_is_switched_and_taken_back(sit, file: Path) -> None:
    before = said(file)
    async with sit(stage_with(file)) as seat:
        screen = await opened(seat, "features.handoff")
        await seat.press("enter")
        await seat.until(lambda: "\nhandoff = false\n" in said(file))
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.waits)
        await seat.until(lambda: "what runs still goes by the old one" in told(screen.pane))
        assert "once the host is started again" in toasts(seat)
        await seat.press("u")
        await seat.until(lambda: said(file) == before)


@pytest.mark.deep
async def test_a_choice_is_picked_and_holds_at_once_where_it_can(sit, file: Path) -> None:
    async with sit(stage_with(file)) as seat:
        await opened(seat, "tui.theme")
        await seat.press("enter")
        dialog = await seat.at(ChoiceDialog)
        listing = dialog.query_one(OptionList)
        listing.highlighted = listing.get_option_index("workstation-light")
        await seat.press("enter")
        await seat.until(lambda: 'theme = "workstation-light"' in said(file))
        await seat.until(lambda: seat.app.theme == "workstation-light")
        assert "at once in this window" in toasts(seat)


async def test_what_is_of_the_window_alone_holds_at_once_in_it(sit, file: Path) -> None:
    async with sit(stage_with(file)) as seat:
        screen = await opened(seat, "tui.bell")
        await seat.press("enter")
        await seat.until(lambda: "\nbell = false\n" in said(file))
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.value == "false")
        assert "at once in this window" in toasts(seat)
        assert "what runs still goes by" not in told(screen.pane)
        seat.app.attention.focused = False
        rung = []
        seat.app.attention._write = rung.append
        seat.app.attention.ring()
        assert not rung
        await seat.press("enter")
        await seat.until(lambda: "bell = false" not in said(file))
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.value == "true")
        seat.app.attention.ring()
        assert rung == ["\a"]
        before = seat.app.animation_level
        seat.app.use_setting("tui.motion", "reduced")
        assert seat.app.animation_level == "none" and not seat.talk.composer.cursor_blink
        seat.app.use_setting("tui.motion", "full")
        assert seat.app.animation_level == before
        await seat.settled()


async def test_what_it_cannot_be_is_told_and_what_was_typed_stays(sit, file: Path) -> None:
    async with sit(stage_with(file)) as seat:
        screen = await opened(seat, "memory.history_messages")
        await seat.press("enter")
        dialog = await seat.at(WriteDialog)
        await seat.press("backspace", "backspace", "1", "enter")
        await seat.until(lambda: "of at least 2, got 1" in told(dialog))
        assert dialog.query_one(Input).value == "1"
        await seat.press("escape")
        await seat.until(lambda: "Esc again" in told(dialog))
        assert seat.app.screen is dialog
        assert "\nhistory_messages" not in said(file)
        await seat.press("2", "enter")
        await seat.at(SettingsScreen)
        await seat.until(lambda: "\nhistory_messages = 12\n" in said(file))
        await seat.until(lambda: screen.listing.chosen and screen.listing.chosen.value == "12")


@pytest.mark.deep
async def test_lists_and_tables_a_line_each(sit, file: Path) -> None:
    async with sit(stage_with(file)) as seat:
        await opened(seat, "models.fallback")
        await seat.press("enter")
        dialog = await seat.at(WriteDialog)
        dialog.query_one(TextArea).text = "x/y\n\n z/w "
        await seat.press("ctrl+s")
        await seat.until(lambda: 'fallback = ["x/y", "z/w"]' in said(file))
        await seat.at(SettingsScreen)
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)
        await opened(seat, "tui.keys")
        await seat.press("enter")
        dialog = await seat.at(WriteDialog)
        dialog.query_one(TextArea).text = "nonsense"
        await seat.press("ctrl+s")
        await seat.until(lambda: "a line each" in told(dialog))
        dialog.query_one(TextArea).text = '"go.usage" = "f12"\n"go.nowhere" = "f4"'
        await seat.press("ctrl+s")
        await seat.at(SettingsScreen)
        await seat.until(lambda: 'there is no "go.nowhere"' in toasts(seat))
        await seat.press("f12")
        await seat.until(lambda: type(seat.app.screen).__name__ == "UsageScreen")


async def test_two_windows(sit, file: Path) -> None:
    """What another wrote meanwhile is not written over unseen, and what was typed stays."""
    async with sit(stage_with(file)) as seat:
        await opened(seat, "general.user")
        await seat.press("enter")
        dialog = await seat.at(WriteDialog)
        ConfigFile(file, {}).write("general.user", "ana")
        await seat.press(*"x", "enter")
        await seat.until(lambda: 'is "ana" now' in told(dialog))
        assert 'user = "ana"' in said(file) and dialog.query_one(Input).value == "mex"
        await seat.press("enter")
        await seat.until(lambda: 'user = "mex"' in said(file))


@pytest.mark.deep
async def test_what_the_environment_says_cannot_be_changed_here(sit, file: Path) -> None:
    env = {"SKILL_AGENT_TUI_BELL": "off"}
    async with sit(stage_with(file, env)) as seat:
        screen = await opened(seat, "tui.bell")
        await seat.until(lambda: "the environment: SKILL_AGENT_TUI_BELL" in told(screen.pane))
        await seat.press("enter")
        await seat.until(lambda: "SKILL_AGENT_TUI_BELL" in toasts(seat))
        await seat.press("u")
        assert "\nbell" not in said(file)


@pytest.mark.deep
async def test_passwords_are_not_shown_nor_begun_with(sit, file: Path) -> None:
    ConfigFile(file, {}).write("models.api_base.openai", "https://me:hunter2@example.org/v1")
    async with sit(stage_with(file), size=(130, 40)) as seat:
        screen = await opened(seat, "models.api_base")
        await seat.until(lambda: "[redacted]@example.org" in told(screen.pane))
        assert "hunter2" not in told(screen)
        await seat.press("enter")
        dialog = await seat.at(WriteDialog)
        assert dialog.query_one(TextArea).text == "" and "not shown" in told(dialog)


async def test_a_broken_file_and_one_that_cannot_be_written(sit, file: Path) -> None:
    async with sit(stage_with(file)) as seat:
        screen = await opened(seat, "tui.bell")
        protect(file, 0o444)
        before = said(file)
        await seat.press("enter")
        await seat.until(lambda: "write-protected" in toasts(seat))
        assert said(file) == before
        protect(file, 0o644)
        put(file, "[tui]\nbel = true\n")
        await seat.press("r")
        words = screen.query_one("#page-none", Static)
        await seat.until(lambda: 'did you mean "bell"?' in str(words.render()))
        assert "config.toml:2" in str(words.render())
        put(file, before)
        await seat.press("r")
        await seat.until(lambda: screen.listing.settings)
