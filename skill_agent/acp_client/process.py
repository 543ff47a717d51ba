"""A program in a process group of its own: what it sees of the environment, its errors in a log,
and its end with all it started."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from skill_agent.errors import ModelUnavailable

from .error_log import ErrorLog

HARMLESS = frozenset({
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "LANG", "LANGUAGE", "TZ",
    "TMPDIR", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
})  # fmt: skip
_FAMILIES = ("LC_", "XDG_")
MOST_BYTES = 16 << 20
"""Of one message of a program."""
_LIFELINE = Path(__file__).with_name("lifeline.py")
_PATIENCE_S = 1.0


def environment(named: Sequence[str] = (), more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program is given of this one's: a few harmless variables, where it finds its own
    settings and login, and those that are named."""
    wanted = HARMLESS | set(named)
    kept = {k: v for k, v in os.environ.items() if k in wanted or k.startswith(_FAMILIES)}
    return {**kept, **(more or {})}


class Started:
    """A running program."""

    def __init__(self, process: Process, lifeline: int, errors: ErrorLog | None) -> None:
        self._process, self._lifeline, self._errors = process, lifeline, errors
        self._draining: asyncio.Task[None] | None = None
        if process.stderr is not None and errors is not None:
            self._draining = asyncio.create_task(errors.drain(process.stderr), name="stderr")

    @property
    def output(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def input(self) -> asyncio.StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def group(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code; 128 and more for a signal."""
        return await self._process.wait()

    async def how_it_ended(self) -> str:
        """In words, with its last line of errors; also where it does not end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self.wait()
                if self._draining is not None:
                    await asyncio.shield(self._draining)
        code = self.code
        how = "it closed its output" if code is None else _in_words(code)
        last = self._errors.last if self._errors else ""
        return f"{how}: {last}" if last else how

    async def end(self, *, at_once: bool = False) -> None:
        """Ends it and all it started: its input first, then a request, then by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not at_once and self.code is None and not await self._gone(_PATIENCE_S / 2):
            self.kill(signal.SIGTERM)
            await self._gone(_PATIENCE_S)
        self.kill(signal.SIGKILL)  # also what outlived it
        await self._process.wait()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._draining is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._draining, _PATIENCE_S)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _gone(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
            return True
        return False


async def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    errors: ErrorLog | None,
) -> Started:
    """Starts a program, given by its whole path; without a log its errors are part of its output,
    and it has no input. Raises ModelUnavailable where the system refuses."""
    ours, theirs = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            # -I, -S: nothing of the working directory or the environment is code of ours.
            sys.executable, "-I", "-S", str(_LIFELINE), str(ours), *command,
            stdin=PIPE if errors else DEVNULL, stdout=PIPE, stderr=PIPE if errors else STDOUT,
            env=dict(env), cwd=cwd, start_new_session=True, pass_fds=(ours,), limit=MOST_BYTES,
        )  # fmt: skip
    except OSError as error:
        os.close(theirs)
        raise ModelUnavailable(f"{command[0]} cannot be started: {error.strerror}") from None
    finally:
        os.close(ours)
    return Started(process, theirs, errors)


def _in_words(code: int) -> str:
    if code > 128:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(code - 128).name}"
    return f"it ended with exit code {code}"
