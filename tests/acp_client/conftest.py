"""Homes with an outside agent."""

from pathlib import Path

import pytest
from outside_home import OutsideHome


@pytest.fixture
def outside(tmp_path: Path) -> OutsideHome:
    return OutsideHome(tmp_path / "home")
