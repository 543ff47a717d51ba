"""Pictures of the conversation and of every place there is, in three sizes, dark and light.

What is registered in PLACES is drawn here without being named.
"""

import time
from pathlib import Path

import pytest
from played import played
from scenes import ASKED, EXTRACTED, RECALLED, SAVED, TOOL, WORDS
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.places import PLACES, TALK_PLACE
from skill_agent.tui.talk.screen import TalkScreen
from stage import TEAM, StageRuntime, opener
from stage_agents import shelf as models
from stage_book import shelf as memories
from stage_figures import StageFigures, spent
from stage_host import LINES, StageHost
from stage_inbox import full
from stage_jobs import at_their_times
from stage_work import at_work, behind
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

from skill_agent.settings.config_file import ConfigFile
from skill_agent.settings.schema import Settings
from skill_agent.settings.template import default_config_text

pytestmark = pytest.mark.deep

SIZES = [(60, 18), (120, 36), (200, 50)]
THEMES = ["workstation", "workstation-light"]
SHOWN = [TALK_PLACE, *(one.name for one in PLACES)]
QUESTION = "When do I deploy, and what do I watch out for?"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def full_home(tmp_path: Path) -> StageRuntime:
    """A home in which every place has something to show."""
    figures, host = played(StageFigures)(), played(StageHost)(tmp_path / "skill-agent.log")
    spent(figures)
    host.add(*LINES, *LINES)
    file = tmp_path / "config.toml"
    file.write_text(default_config_text({"models.default": "ollama/qwen3:8b"}), encoding="utf-8")
    config = ConfigFile(file, {}, running=Settings(), slugs=lambda: ("kyra", "luke"))
    groups = {"figures": figures, "host": host, "config": config}
    stage = StageRuntime(memory=memories(), groups=groups)
    models(stage.shelf)
    at_work(stage.given, stage.together)
    at_their_times(stage.timed)
    behind(stage.background)
    stage.add_session("Deploying on Fridays", "kyra", "Remember that …", "Noted.")
    full(stage.post, "session-0")
    stage.team = (TEAM[0].model_copy(update={"avatar_emoji": "🌿"}), *TEAM[1:])
    stage.scripts = [
        [SAVED, RECALLED, *TOOL, *WORDS,
         "\n\n```bash\ngit switch release && make migrate\n```\n", EXTRACTED],
        ["Let me look. ", ASKED],
    ]  # fmt: skip
    return stage


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("shown", SHOWN)
def test_place(snap_compare, drafts: Path, full_home: StageRuntime, shown, size, theme) -> None:
    async def before(pilot: Pilot[None]) -> None:
        talk = pilot.app.screen_stack[0]
        assert isinstance(talk, TalkScreen)
        await until(pilot, lambda: talk.speaker)
        pilot.app.theme = theme
        if shown == TALK_PLACE:
            talk.composer.put(QUESTION)
            await pilot.press("enter")
        else:
            await pilot.app.run_action(f"app.place('{shown}')")
        await settled(pilot)
        await pilot.press("f2" if shown == TALK_PLACE else "down")
        for box in pilot.app.screen.query(Input):
            box.cursor_blink = False
        await settled(pilot)

    app = WorkstationApp(opener(full_home), draft_dir=drafts, seconds=lambda: 0.0)
    app.animation_level = "none"
    assert snap_compare(app, terminal_size=size, run_before=before)
