"""Fixtures for tests on real models: files pulled once a machine, linked into a home a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from model_files import give_to, smollm2_settings

from skill_agent.files.home import Home
from skill_agent.models.gateway import Gateway
from skill_agent.models.wire.litellm_ready import close_clients


@pytest.fixture
def model_home(tmp_path: Path) -> Home:
    """A home with SmolLM2 in its models folder."""
    home = Home(tmp_path / "home")
    give_to(home, "smollm2-135m")
    return home


@pytest.fixture
async def gateway(model_home: Home) -> AsyncIterator[Gateway]:
    """A gateway whose default is the real SmolLM2."""
    opened = Gateway(smollm2_settings(), model_home)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
async def _no_connection_left() -> AsyncIterator[None]:
    """A provider's connections are closed in the loop they were opened in."""
    yield
    await close_clients()
