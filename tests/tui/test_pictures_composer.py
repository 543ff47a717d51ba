"""Pictures of what lies over and around the composer; `--snapshot-update` after a look at them."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import past
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.foot.suggestions import Suggestions
from skill_agent.tui.talk.screen import TalkScreen
from stage import StageRuntime, Stop, opener
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

SMALL, USUAL, LARGE = (60, 18), (120, 36), (200, 50)
deep = pytest.mark.deep


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path, tmp_path: Path) -> Callable[..., bool]:
    """Compares the screen after what was said, pasted and typed with the accepted picture."""
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    for name in ("notes.txt", "release.md", "src/deploy.py"):
        (folder / name).write_text("one\ntwo\n")

    def compare(
        runtime: StageRuntime,
        *keys: str,
        said: tuple[str, ...] = (),
        pasted: tuple[str, ...] = (),
        size: tuple[int, int] = USUAL,
        theme: str = "workstation",
        listed: int = 0,
    ) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            for text in said:
                talk.composer.put(text)
                await pilot.press("enter")
                await settled(pilot)
            for text in pasted:
                pilot.app.post_message(Paste(text))
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
            await until(pilot, lambda: len(talk.query_one(Suggestions).offered) >= listed)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(runtime), draft_dir=drafts, folder=str(folder))
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def talked() -> StageRuntime:
    runtime = past()
    runtime.scripts = [["On **Fridays**, from the release branch."]]
    return runtime


def busy() -> StageRuntime:
    runtime = past()
    runtime.scripts = [["Let me see ", Stop(asyncio.Event())]]
    return runtime


SAID = ("When do I deploy?",)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (USUAL, "workstation"),
        pytest.param(SMALL, "workstation", marks=deep),
        pytest.param(LARGE, "workstation-light", marks=deep),
    ],
)
def test_commands(still, size, theme) -> None:
    assert still(talked(), "/", "down", said=SAID, size=size, theme=theme)


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (SMALL, "workstation"),
        pytest.param(USUAL, "workstation-light", marks=deep),
        pytest.param(LARGE, "workstation", marks=deep),
    ],
)
def test_names(still, size, theme) -> None:
    assert still(talked(), *"see @", said=SAID, size=size, theme=theme, listed=6)


@deep
@pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, "workstation"), (USUAL, "workstation"), (LARGE, "workstation-light")],
)
def test_what_is_not_sent_yet(still, size, theme) -> None:
    pasted = ("\n".join(f"line {number}" for number in range(40)), "x" * 2_000)
    said = (*SAID, "And what do I watch out for?", "Then write it down.")
    assert still(busy(), "alt+w", said=said, pasted=pasted, size=size, theme=theme)


@deep
@pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, "workstation"), (USUAL, "workstation-light"), (LARGE, "workstation")],
)
def test_queued_and_beside(still, size, theme) -> None:
    pasted = ("\n".join(f"line {number}" for number in range(40)), "x" * 2_000)
    said = (*SAID, "And what do I watch out for?", "Then write it down.")
    assert still(busy(), *"more", said=said, pasted=pasted, size=size, theme=theme)


@deep
@pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, "workstation"), (USUAL, "workstation"), (LARGE, "workstation-light")],
)
def test_what_was_sent(still, size, theme) -> None:
    assert still(talked(), "ctrl+r", *"deploy", said=SAID, size=size, theme=theme)
