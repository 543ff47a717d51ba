"""Pictures of the home screen and of the list of conversations, as seen one evening."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import StageRuntime, Stop, opener
from stage_book import shelf
from stage_inbox import full
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
SMALL, USUAL, WIDE = (60, 18), (120, 36), (200, 50)
DARK, LIGHT = "workstation", "workstation-light"

TALKS = (
    ("Bread that rises overnight", "kyra", 0.2, "How long may the dough rest in the fridge?",
     "Up to three days. Two are best: the taste is deeper, and it still springs in the oven."),
    ("Review of the release branch", "luke", 3, "Anything that must not ship?",
     "One thing: the migration has no way back. The rest can wait until Tuesday."),
    ("Which figures for the board", "ada", 26, "Churn or retention?",
     "Retention by month of joining. Churn hides that the newest ones stay."),
    ("Trip to Porto in May", "kyra", 50, "Train or plane?", "By train, with a night in Madrid."),
    ("Names for the boat", "kyra", 24 * 21, "Something short?", "Swift, or Ebb."),
    ("The old boiler", "luke", 24 * 70, "It drips.", "Then the valve is first to look at."),
)  # fmt: skip


def team() -> StageRuntime:
    runtime = StageRuntime()
    for title, agent, hours, *lines in TALKS:
        one = runtime.add_session(title, agent, *map(str, lines))
        runtime.stored[one.id] = replace(one, updated_at=NOW - timedelta(hours=float(hours)))
    runtime.book.memories = [
        replace(shelf().memories[0], id=f"m{n}", agent=agent, status="active")
        for n, agent in enumerate([*["kyra"] * 71, *["luke"] * 12, None])
    ]
    full(runtime.post)
    first, *_, last = runtime.stored.values()
    runtime.stored[last.id] = replace(last, pinned=True)
    runtime.stored[first.id] = replace(first, branched_from="session-9")
    return runtime


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after the keys with the accepted picture."""

    def compare(
        runtime: StageRuntime,
        *keys: str,
        size: tuple[int, int] = USUAL,
        theme: str = DARK,
        gate: asyncio.Event | None = None,
    ) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            if gate is None:
                await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(runtime, gate=gate), draft_dir=drafts, seconds=lambda: 0.0)
        talk = app.get_default_screen()
        assert isinstance(talk, TalkScreen)
        talk.now = lambda: NOW
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (USUAL, DARK),
        pytest.param(SMALL, DARK, marks=pytest.mark.deep),
        pytest.param(WIDE, LIGHT, marks=pytest.mark.deep),
        pytest.param((80, 24), LIGHT, marks=pytest.mark.deep),
    ],
)
def test_home(still, size, theme) -> None:
    assert still(team(), size=size, theme=theme)


@pytest.mark.deep
def test_home_while_the_team_is_waking(still) -> None:
    assert still(team(), size=(80, 24), gate=asyncio.Event())


@pytest.mark.deep
def test_home_of_a_newcomer_on_a_row(still) -> None:
    assert still(StageRuntime(), "alt+up", "alt+up", size=(100, 30))


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (USUAL, DARK),
        pytest.param(SMALL, DARK, marks=pytest.mark.deep),
        pytest.param(WIDE, LIGHT, marks=pytest.mark.deep),
    ],
)
def test_conversations(still, size, theme) -> None:
    assert still(team(), "ctrl+s", "down", size=size, theme=theme)


@pytest.mark.deep
def test_conversations_looked_for(still) -> None:
    assert still(team(), "ctrl+s", *"train", size=USUAL)


@pytest.mark.deep
def test_a_conversation_before_it_is_deleted(still) -> None:
    runtime = team()
    runtime.scripts = [[Stop(asyncio.Event())]]
    assert still(runtime, "ctrl+s", "alt+d", size=(80, 24))
