"""A home opened in this process, as what it is here: a runtime, not just a workstation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from skill_agent.cli.opening.home import open_home

from skill_agent.host.runtime import Runtime


@asynccontextmanager
async def open_in_process(path: Path | str, **parts: Any) -> AsyncIterator[Runtime]:
    """As `open_home`; fails where another process holds the home."""
    async with open_home(path, **parts) as opened:
        assert isinstance(opened, Runtime)
        yield opened
