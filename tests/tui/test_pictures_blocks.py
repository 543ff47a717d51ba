"""Pictures of what a conversation is made of; `--snapshot-update` after a look at them."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import ASKED, RECALLED, SAVED, TOOL, WORDS
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import TEAM, StageRuntime, Stop, make, opener
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

from skill_agent.events import (
    DiffShown,
    HandedOff,
    PlanStep,
    PlanTold,
    TaskChanged,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
)

SIZES = {"small": (60, 18), "usual": (120, 36), "large": (200, 50)}
THEMES = ("workstation", "workstation-light")


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after messages and keys with the accepted picture; its clock stands."""

    def compare(runtime, *said: str, keys=(), size=(120, 36), theme="workstation") -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            for text in said:
                talk.composer.put(text)
                await pilot.press("enter")
                await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(runtime), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def faces() -> list:
    emoji = {"kyra": "🦊", "luke": "🦉", "ada": "🐝"}
    return [one.model_copy(update={"avatar_emoji": emoji.get(one.slug, "")}) for one in TEAM]


FAILED = (
    make(ToolStarted, call="c2", tool="read_file", arguments={"path": "deploy/notes.md"}),
    make(
        ToolFinished, call="c2", tool="read_file", ok=False, seconds=0.2,
        result="there is no file deploy/notes.md in the folder you work in; nearest: "
        "deploy/README.md, docs/notes.md",
    ),
)  # fmt: skip
CHANGED = (
    make(ToolStarted, call="c3", tool="edit", arguments={"path": "Makefile"}),
    make(
        DiffShown, call="c3", path="Makefile",
        before="deploy:\n\tmake build\n\tmake push\n",
        after="deploy:\n\tmake migrate\n\tmake push\n",
    ),
    make(ToolFinished, call="c3", tool="edit", ok=True, result="", seconds=0.1),
)  # fmt: skip
PLAN = make(
    PlanTold,
    steps=(
        PlanStep(text="Cut the branch", state="completed"),
        PlanStep(text="Migrate before the build", state="in_progress"),
        PlanStep(text="Tag and push", state="pending"),
    ),
)


ASIDE = make(
    TaskChanged, task="t", title="Look through the migration", status="completed",
    created_by="luke", depth=1,
)  # fmt: skip
HANDED = make(HandedOff, came_from="luke", reason="deploys are Kyra's")


def talked() -> StageRuntime:
    runtime = StageRuntime(team=faces())
    runtime.scripts = [
        [SAVED, RECALLED, "Noted: **Fridays**, from the release branch."],
        [RECALLED, *TOOL, *WORDS],
    ]
    return runtime


def worked() -> StageRuntime:
    """One of every kind of block."""
    return StageRuntime(
        [
            [
                make(ThoughtDelta, text="They want it done. "),
                PLAN, *TOOL, *FAILED, *CHANGED, ASIDE, HANDED,
                "The migration runs first now.",
                Stop(asyncio.Event()),
            ]
        ],
        team=faces(),
    )  # fmt: skip


SAID = (
    "Remember that I deploy on Fridays from the release branch",
    "When do I deploy, and what do I watch out for?",
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_a_talk(still, size: str, theme: str) -> None:
    assert still(talked(), *SAID, size=SIZES[size], theme=theme)


@pytest.mark.parametrize("size", SIZES)
def test_sources(still, size: str) -> None:
    assert still(talked(), *SAID, keys=("f3", "alt+up"), size=SIZES[size])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_every_kind_of_block(still, size: str, theme: str) -> None:
    assert still(worked(), "Do it", size=SIZES[size], theme=theme)


def test_a_diff(still) -> None:
    keys = ("alt+up", *("alt+up",) * 2, "enter")
    assert still(worked(), "Do it", keys=keys)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", THEMES)
def test_a_card(still, size: str, theme: str) -> None:
    runtime = StageRuntime([[ASKED, "Done."]], team=faces())
    assert still(runtime, "Look it up", keys=("f2",), size=SIZES[size], theme=theme)


@pytest.mark.parametrize("size", SIZES)
def test_export(still, size: str) -> None:
    runtime = talked()
    assert still(runtime, SAID[0], keys=("alt+up", "x"), size=SIZES[size])
