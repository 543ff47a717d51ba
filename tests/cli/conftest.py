"""`ska(...)` runs a command in this process, `driver(...)` writes a script for one of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.home import Home


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str]) -> Ska:
    return Ska(home, capsys)


@pytest.fixture
def driver(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a script that runs `ska` with a scripted model, for tests that need a process."""

    def write(model: str) -> Path:
        script = tmp_path / "driver.py"
        script.write_text(
            f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from fakes import HashEmbedder
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.main import main
from skill_agent.cli.surroundings import Surroundings
from skill_agent.models.scripted import Gate, Pause, ScriptedGateway, ScriptedModel
model = {model}
opening = OpenOptions(gateway=ScriptedGateway(model), embedder=HashEmbedder())
main(Surroundings(chores=False, opening=opening))
""",
            encoding="utf-8",
        )
        return script

    return write
