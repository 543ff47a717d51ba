"""Pictures of agents, models and skills; `--snapshot-update` accepts new ones after a look."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from skill_agent.tui.places import PLACES
from skill_agent.tui.talk.screen import TalkScreen
from stage import TEAM, StageRuntime, opener
from stage_agents import shelf
from stage_book import shelf as memories
from textual.pilot import Pilot
from waiting import settled, until

from skill_agent.agents.dna import Boundaries, Personality

SMALL, USUAL, LARGE = (60, 18), (120, 36), (200, 50)
LIGHT = "workstation-light"
GO = {one.name: ("ctrl+o", str(at % 10)) for at, one in enumerate(PLACES, 2)}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after the keys with the accepted picture."""
    from skill_agent.tui.app import WorkstationApp

    def compare(*keys: str, size=USUAL, theme: str = "workstation") -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            await until(pilot, lambda: talk.speaker)
            pilot.app.theme = theme
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)

        app = WorkstationApp(opener(stage()), draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def stage() -> StageRuntime:
    made = StageRuntime(memory=memories())
    shelf(made.shelf)
    kyra = TEAM[0].model_copy(
        update={
            "avatar_emoji": "🌿",
            "custom_skill_names": ("weather", "tides"),
            "personality": Personality(
                traits={"curious": 0.9, "empathetic": 0.8},
                always_rules=("use what you remember about the user when it helps",),
                never_rules=("give medical, legal or financial advice",),
            ),
            "boundaries": Boundaries(
                can_do=("everyday questions", "planning"), allowed_domains=("api.open-meteo.com",),
                escalates_to="luke",
            ),
            "mcp": ("github",),
        }
    )  # fmt: skip
    made.team = (kyra, TEAM[1].model_copy(update={"avatar_emoji": "🔧"}), *TEAM[2:])
    made.add_session("Deploying on Mondays", "kyra", "When do we deploy?", "On Mondays.")
    made.add_session("A walk along the river", "kyra", "Where?", "By the mill.")
    return made


def test_agents(still) -> None:
    assert still(*GO["agents"])


@pytest.mark.deep
@pytest.mark.parametrize(("size", "theme"), [(SMALL, "workstation"), (LARGE, LIGHT)])
def test_agents_otherwise(still, size, theme) -> None:
    assert still(*GO["agents"], size=size, theme=theme)


def test_models(still) -> None:
    assert still("alt+m")


@pytest.mark.deep
@pytest.mark.parametrize(("size", "theme"), [(SMALL, "workstation"), (LARGE, LIGHT)])
def test_models_otherwise(still, size, theme) -> None:
    assert still("alt+m", size=size, theme=theme)


@pytest.mark.deep
@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize(("size", "theme"), [(SMALL, "workstation"), (USUAL, LIGHT)])
def test_a_new_agent(still, size, theme, step: int) -> None:
    first = ["Z", "o", "e", "enter", "enter", "G", "enter"] if step else []
    later = ["down", "enter", "enter", "enter"]
    assert still(*GO["agents"], "n", *first, *later[: max(0, step - 1) + (step > 1)],
                 size=size, theme=theme)  # fmt: skip


def test_skills(still) -> None:
    assert still(*GO["skills"], "down", "down")


@pytest.mark.deep
@pytest.mark.parametrize(("size", "theme"), [(SMALL, "workstation"), (LARGE, LIGHT)])
def test_skills_otherwise(still, size, theme) -> None:
    assert still(*GO["skills"], "end", size=size, theme=theme)
