"""How a server's process is started."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from skill_agent.errors import ToolFailed
from skill_agent.programs.environment import environment
from skill_agent.programs.error_log import ErrorLog
from skill_agent.programs.running import Running, start
from skill_agent.settings.schema import McpServer


async def started(
    server: McpServer, folder: Path, env: Mapping[str, str], log: ErrorLog
) -> Running:
    """Raises ToolFailed where there is no such program or folder."""
    where, command = _place(server, folder), program(server, folder, env)
    log.begin([env[name] for name in server.env if name in env])
    try:
        return await start(
            (command, *server.args), cwd=where, env=environment(server.env, of=env), log=log
        )
    except OSError as error:
        raise ToolFailed(
            f"it cannot be started in {where}: {error.strerror}", hint="see its cwd"
        ) from None


def _place(server: McpServer, folder: Path) -> Path:
    """Its own folder is made where its settings name none."""
    if server.cwd:
        return Path(server.cwd).expanduser()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def program(server: McpServer, folder: Path, env: Mapping[str, str]) -> str:
    """Where the program lies; a relative path is one from the folder it is started in. Raises
    ToolFailed where there is none."""
    command = server.command
    wide = os.path.expanduser(command)  # noqa: PTH111
    if os.sep in wide:
        wide = str((Path(server.cwd).expanduser() if server.cwd else folder) / wide)
    if found := shutil.which(wide, path=env.get("PATH", os.defpath)):
        return found
    raise ToolFailed(
        f"there is no program {command}", hint="install it, or give its whole path as `command`"
    )
