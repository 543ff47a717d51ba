"""An editor served over its line, until it hangs up."""

from pathlib import Path
from typing import cast

from acp.core import run_agent
from acp.interfaces import Agent

from skill_agent.workstation import Workstation

from .agent import EditorAgent
from .folders import Folders
from .line import EditorLine


async def serve_editor(
    station: Workstation, line: EditorLine, *, folders: Path, agent: str | None = None
) -> None:
    """Returns once the editor has hung up; what it had asked for is stopped by then.

    `folders` is where it is kept in which folder a conversation was begun, `agent` who answers
    first. Raises NotFound for an unknown agent.
    """
    first = (await station.agents.get(agent)).slug if agent else None
    served = EditorAgent(station, line, Folders(folders), agent=first)
    # Resuming and closing sessions is what the SDK calls unstable.
    await run_agent(cast(Agent, served), line, use_unstable_protocol=True)
