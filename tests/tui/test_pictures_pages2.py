"""Pictures of usage, logs and settings; `--snapshot-update` accepts new ones after a look."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from played import played
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import StageRuntime, opener
from stage_figures import StageFigures, spent
from stage_host import LINES, StageHost
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

from skill_agent.settings.config_file import ConfigFile
from skill_agent.settings.schema import Settings
from skill_agent.settings.template import default_config_text

SMALL, WIDE, LARGE = (60, 18), (120, 36), (200, 50)
DARK, LIGHT = "workstation", "workstation-light"
SIZES = [
    pytest.param(SMALL, DARK, marks=pytest.mark.deep),
    pytest.param(WIDE, DARK),
    pytest.param(LARGE, LIGHT, marks=pytest.mark.deep),
]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after going to a place and the keys with the accepted picture."""

    def compare(stage: StageRuntime, place: str, *keys: str, size, theme: str) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            await pilot.app.run_action(f"app.place('{place}')")
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(stage), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def used() -> StageRuntime:
    figures = played(StageFigures)()
    spent(figures)
    return StageRuntime(groups={"figures": figures})


@pytest.mark.parametrize(("size", "theme"), SIZES)
def test_usage_by_agent(still, size, theme) -> None:
    assert still(used(), "usage", size=size, theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize(("size", "theme"), [(WIDE, LIGHT), ((80, 24), DARK)])
def test_usage_by_model(still, size, theme) -> None:
    assert still(used(), "usage", "b", size=size, theme=theme)


def logged(folder: Path) -> StageRuntime:
    host = played(StageHost)(folder / "skill-agent.log")
    host.add(*LINES, *LINES)
    return StageRuntime(groups={"host": host})


@pytest.mark.parametrize(("size", "theme"), SIZES)
def test_logs(still, tmp_path: Path, size, theme) -> None:
    assert still(logged(tmp_path), "logs", size=size, theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize(("size", "theme"), [(WIDE, LIGHT), ((80, 24), DARK)])
def test_an_entry_of_the_log(still, tmp_path: Path, size, theme) -> None:
    assert still(logged(tmp_path), "logs", "up", "enter", size=size, theme=theme)


def settled_home(folder: Path) -> StageRuntime:
    file = folder / "config.toml"
    file.write_text(default_config_text({"models.default": "ollama/qwen3:8b"}), encoding="utf-8")
    config = ConfigFile(
        file, {"SKILL_AGENT_TUI_BELL": "off"}, running=Settings(), slugs=lambda: ("kyra", "luke")
    )
    return StageRuntime(groups={"config": config})


@pytest.mark.parametrize(("size", "theme"), SIZES)
def test_settings(still, tmp_path: Path, size, theme) -> None:
    keys = ("down", "down")
    assert still(settled_home(tmp_path), "settings", *keys, size=size, theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize(
    "keys",
    [("slash", *"bell", "enter"), ("slash", *"history_m", "enter", "enter", "x", "enter"),
     ("slash", *"motion", "enter", "enter"), ("slash", *"fallback", "enter", "enter")],
    ids=["environment", "refused", "choice", "list"],
)  # fmt: skip
def test_changing_settings(still, tmp_path: Path, keys) -> None:
    assert still(settled_home(tmp_path), "settings", *keys, size=(80, 24), theme=DARK)
