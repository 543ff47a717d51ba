"""Pictures of the inbox, the jobs and what is begun together; most of them are `deep`."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from stage import MORNING, StageRuntime, opener
from stage_book import shelf
from stage_inbox import full
from stage_jobs import at_their_times
from stage_work import at_work, behind
from test_inbox_waiting import call, question
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from waiting import settled, until

from skill_agent.values import Question

SMALL, USUAL, LARGE = (60, 18), (120, 36), (200, 50)
LIGHT = "workstation-light"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after the keys with the accepted picture."""

    def compare(
        runtime: StageRuntime, *keys: str, size=USUAL, theme: str = "workstation", typed: str = ""
    ) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            if typed:
                await pilot.press(*typed)
                await settled(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            for area in pilot.app.screen.query(TextArea):
                area.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(opener(runtime), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def waiting() -> StageRuntime:
    """An inbox with something of each kind."""
    stage = StageRuntime(memory=shelf())
    body = "Shallow roots, a weak stock, and who waters it in July.\nShall I order two of them?"
    stage.allowed = [
        call(
            "a1", tool="http_post", origins=("web",),
            arguments={"url": "https://nursery.example.org/orders", "body": body},
            reason="to order the apple trees", rule="luke http_post:nursery.example.org",
        )
    ]  # fmt: skip
    asked: Question = question("q1")
    stage.questions_asked.waiting["q1"] = asked
    stage.book.to_share = [replace(stage.book.memories[3], id="share-me")]
    at_their_times(stage.timed)
    full(stage.post)
    for name, one in stage.post.known.items():
        stage.post.known[name] = replace(one, created_at=MORNING + timedelta(hours=1))
    return stage


def jobs() -> StageRuntime:
    stage = StageRuntime()
    at_their_times(stage.timed)
    behind(stage.background)
    return stage


def team() -> StageRuntime:
    stage = StageRuntime()
    at_work(stage.given, stage.together)
    return stage


def test_all_that_waits(still) -> None:
    assert still(waiting(), "f8")


@pytest.mark.deep
def test_a_call_to_answer(still) -> None:
    assert still(waiting(), "f8", "enter", theme=LIGHT, size=(100, 30))


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["workstation", LIGHT])
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_what_waits_in_other_sizes(still, size, theme: str) -> None:
    assert still(waiting(), "f8", size=size, theme=theme)


@pytest.mark.deep
def test_a_question_to_answer(still) -> None:
    assert still(waiting(), "f8", "down", "enter", size=(80, 24))


@pytest.mark.deep
def test_a_message_of_a_job(still) -> None:
    assert still(waiting(), "f8", *["down"] * 7)


def test_the_jobs(still) -> None:
    assert still(jobs(), "f9")


@pytest.mark.deep
@pytest.mark.parametrize("theme", ["workstation", LIGHT])
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_jobs_in_other_sizes(still, size, theme: str) -> None:
    assert still(jobs(), "f9", "enter", size=size, theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize("size", [SMALL, USUAL])
def test_a_new_job(still, size) -> None:
    keys = ("f9", "n", *"Read the news", "tab")
    assert still(jobs(), *keys, typed="every weekday at 8", size=size)


@pytest.mark.deep
def test_a_run(still) -> None:
    assert still(jobs(), "f9", "enter", "enter", theme=LIGHT)


@pytest.mark.deep
@pytest.mark.parametrize("size", [SMALL, USUAL])
def test_working_together(still, size) -> None:
    assert still(team(), "f7", "n", typed="Which tree fits a small garden?", size=size)


@pytest.mark.deep
def test_the_places_with_what_waits_there(still) -> None:
    assert still(waiting(), "ctrl+o")
