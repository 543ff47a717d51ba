"""Pictures of what a conversation is made of; `--snapshot-update` after a look at them."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scenes import ASKED, RECALLED, SAVED, TOOL, WORDS
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import MORNING, TEAM, StageRuntime, Stop, make, opener
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
from skill_agent.values import Question

SIZES = {"small": (60, 18), "usual": (120, 36), "large": (200, 50)}
EVERY_SIZE = [pytest.param(one, marks=pytest.mark.deep) for one in SIZES.values()]
LOOKS = [
    pytest.param(size, theme, id=f"{name}-{theme}", marks=() if usual else pytest.mark.deep)
    for name, size in SIZES.items()
    for theme in ("workstation", "workstation-light")
    for usual in [name == "usual" and theme == "workstation"]
]


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


def question() -> Question:
    later = datetime(2026, 12, 1, 10, 5, tzinfo=UTC)
    return Question(
        id="q1", source="collaboration", text="Send the weekly letter to all 1,240 readers?",
        detail="Subject: What the hens did\n\nDear readers, nine eggs this week.",
        created_at=MORNING, expires=later, default="cancel", agent="kyra",
    )  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_talk(still, size, theme: str) -> None:
    assert still(talked(), *SAID, size=size, theme=theme)


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_every_kind_of_block(still, size, theme: str) -> None:
    assert still(worked(), "Do it", size=size, theme=theme)


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_a_card(still, size, theme: str) -> None:
    runtime = StageRuntime([[ASKED, "Done."]], team=faces())
    assert still(runtime, "Look it up", keys=("f2",), size=size, theme=theme)


@pytest.mark.deep
def test_a_diff(still) -> None:
    assert still(worked(), "Do it", keys=("alt+up", "alt+up", "alt+up", "enter"))


@pytest.mark.parametrize("size", EVERY_SIZE)
def test_a_question(still, size) -> None:
    runtime = talked()
    runtime.questions_asked.waiting["q1"] = question()
    assert still(runtime, SAID[0], keys=("f2",), size=size)


@pytest.mark.parametrize("size", EVERY_SIZE)
def test_sources(still, size) -> None:
    assert still(talked(), *SAID, keys=("f3", "alt+up"), size=size)


@pytest.mark.parametrize("size", EVERY_SIZE)
def test_export(still, size) -> None:
    assert still(talked(), SAID[0], keys=("alt+up", "x"), size=size)
