"""A home with something in it, and a way to make and look at its backups."""

from pathlib import Path

import pytest
from command_line import Ska

from skill_agent.files.home import Home


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str]) -> Ska:
    return Ska(home, capsys)


@pytest.fixture
def shelf(home: Home) -> Path:
    """Where backups lie unless told otherwise."""
    return home.backups
