"""A server's process: what it is started with, and how it is ended."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from skill_agent.errors import ToolFailed
from skill_agent.settings.schema import McpServer

_WARDEN = Path(__file__).with_name("warden.py")
_HARMLESS = (
    "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
)  # fmt: skip
_LOOK_EVERY_S = 0.01
_PIPE_BYTES = 1 << 16


class ServerProcess:
    """A program that runs under a warden, in a session of its own."""

    def __init__(self, process: asyncio.subprocess.Process, alive: int) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self._process, self._alive = process, alive

    @property
    def code(self) -> int | None:
        """Its exit code, as a shell tells it; None while it runs."""
        return self._process.returncode

    @property
    def group(self) -> int:
        return self._process.pid

    async def gone(self, within_s: float) -> bool:
        """Whether it is gone within that time. Not by `wait`, which also waits until nobody holds
        its streams any more."""
        until = asyncio.get_running_loop().time() + within_s
        while self.code is None:
            if asyncio.get_running_loop().time() >= until:
                return False
            await asyncio.sleep(_LOOK_EVERY_S)
        return True

    async def end(self, patience_s: float) -> None:
        """Ends its input, then asks, then kills, it and all that it started."""
        try:
            with contextlib.suppress(OSError):
                self.stdin.close()
            if not await self.gone(patience_s):
                self._signal(signal.SIGTERM)
                # The warden stays until the server has gone.
                await self.gone(patience_s)
        finally:
            self._signal(signal.SIGKILL)
            if self._alive >= 0:
                os.close(self._alive)
                self._alive = -1
        await self.gone(patience_s)

    def close(self) -> None:
        """Lets go of its streams: what is in another session may hold them for ever."""
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

    def _signal(self, number: int) -> None:
        """To its whole group, which is there as long as one of it is."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)


async def started(server: McpServer, folder: Path, env: Mapping[str, str]) -> ServerProcess:
    """Raises ToolFailed where there is no such program or folder."""
    where, command = _place(server, folder), program(server, folder, env)
    seen, alive = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_WARDEN), str(seen), command, *server.args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=given(server.env, env),
            cwd=where,
            pass_fds=(seen,),
            start_new_session=True,
            limit=_PIPE_BYTES,
        )
    except BaseException as error:
        os.close(alive)
        if not isinstance(error, OSError | ValueError):
            raise
        said = getattr(error, "strerror", "") or str(error)
        raise ToolFailed(f"it cannot be started in {where}: {said}", hint="see its cwd") from None
    finally:
        os.close(seen)
    return ServerProcess(process, alive)


def _place(server: McpServer, folder: Path) -> Path:
    """Its own folder is made where its settings name none."""
    if server.cwd:
        return Path(server.cwd).expanduser()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def given(names: tuple[str, ...], env: Mapping[str, str]) -> dict[str, str]:
    """What a server gets of the environment: a few harmless variables, and those that are named."""
    wanted = {name for name in env if name in _HARMLESS or name.startswith("LC_")} | {*names}
    return {name: env[name] for name in env if name in wanted}


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
