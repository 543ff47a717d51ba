"""Connections of a scratch home, to servers that are real programs."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skill_agent.files.home import Home
from skill_agent.mcp_client.calls import Elicits
from skill_agent.mcp_client.limits import Limits
from skill_agent.mcp_client.pool import Pool
from skill_agent.settings.schema import McpSettings

HOSTILE = Path(__file__).with_name("hostile_server.py")
FRIENDLY = Path(__file__).with_name("friendly_server.py")
FRIEND = {"command": sys.executable, "args": [str(FRIENDLY)]}
QUICK = replace(Limits(), exit_s=0.5, waits_s=(0.01, 0.01, 0.01), ping_s=0.5)


def hostile(mode: str, told: Path | None = None, **more: Any) -> dict[str, Any]:
    """Such a server, as config.toml would name it."""
    args = [str(HOSTILE), mode, *([str(told)] if told else [])]
    return {"command": sys.executable, "args": args, **more}


@asynccontextmanager
async def pooled(
    folder: Path,
    servers: Mapping[str, Any],
    *,
    limits: Limits = QUICK,
    elicits: Elicits | None = None,
    env: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Pool]:
    """Ends every server at the end."""
    home = Home(folder / "home")
    home.root.mkdir(exist_ok=True)
    mcp = McpSettings.model_validate({"servers": servers, **settings})
    pool = Pool(home, mcp, lambda: datetime.now(UTC), limits=limits, elicits=elicits, env=env)
    try:
        yield pool
    finally:
        await pool.end()


def nothing(*_: object) -> None:
    """Progress that nobody looks at."""


def told(file: Path, key: str) -> list[Any]:
    """What a hostile server told of itself."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [said[key] for line in lines if key in (said := json.loads(line))]


def runs(pid: int) -> bool:
    """Whether a process is there, and no mere remnant that nobody has asked about yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what must happen; the test's own time-out is the bound."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
