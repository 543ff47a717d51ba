"""Pictures of the themes and of the widest and smallest screens."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import RECALLED, SAVED, TOOL, WORDS, past
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import StageRuntime, opener
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

CODE = """

```python
def deploy(day: str) -> bool:  # never on Mondays
    return day == 'Friday'
```
"""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares a conversation after the keys with the accepted picture."""

    def compare(
        *, keys: tuple[str, ...] = (), size: tuple[int, int], theme: str, said: bool = True
    ) -> bool:
        runtime: StageRuntime = past()
        runtime.scripts = [[SAVED, RECALLED, *TOOL, *WORDS, CODE]]

        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            await settled(pilot)
            if said:
                talk.composer.put("When do I deploy, and what do I watch out for?")
                await pilot.press("enter")
                await settled(pilot)
            for key in keys:
                if key == "themes":
                    pilot.app.run_worker(pilot.app.run_action("app.change_theme"))
                else:
                    await pilot.press(key)
                await settled(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(runtime), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def test_wide_and_dark(still) -> None:
    assert still(size=(200, 50), theme="workstation")


def test_paper(still) -> None:
    assert still(size=(120, 36), theme="workstation-paper")


@pytest.mark.deep
def test_wide_and_light(still) -> None:
    assert still(size=(200, 50), theme="workstation-light", keys=("f3",))


@pytest.mark.deep
def test_strongest_contrast(still) -> None:
    assert still(size=(120, 36), theme="workstation-contrast")


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["workstation", "workstation-light"])
def test_small(still, theme: str) -> None:
    assert still(size=(60, 18), theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["workstation", "workstation-paper"])
def test_choosing_a_theme(still, theme: str) -> None:
    assert still(size=(120, 36), theme=theme, keys=("themes",))


@pytest.mark.deep
def test_without_colours(still, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert still(size=(120, 36), theme="workstation")
