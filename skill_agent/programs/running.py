"""A program in a session of its own, and its end with all it started."""

import asyncio
import errno
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from skill_agent.text.shaping import one_line

from .error_log import ErrorLog

_LIFELINE = Path(__file__).with_name("lifeline.py")
_PATIENCE_S = 1.0
_PIPE_BYTES = 1 << 16
_LONGEST_TOLD = 300


class Running:
    """A program under its lifeline."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        streams: "_Streams",
        alive: int,
        log: ErrorLog | None,
    ) -> None:
        self._transport, self._streams = transport, streams
        self._alive, self._log = alive, log
        self._draining: asyncio.Task[None] | None = None
        if log is not None and streams.stderr is not None:
            self._draining = asyncio.create_task(log.drain(streams.stderr), name="stderr")

    @property
    def output(self) -> asyncio.StreamReader:
        assert self._streams.stdout is not None
        return self._streams.stdout

    @property
    def input(self) -> asyncio.StreamWriter:
        assert self._streams.stdin is not None
        return self._streams.stdin

    @property
    def group(self) -> int:
        pid = self._transport.get_pid()
        assert pid is not None
        return pid

    @property
    def code(self) -> int | None:
        """Its exit code, as a shell tells it: 128 and more for a signal; None while it runs."""
        return self._transport.get_returncode()

    async def gone(self, within_s: float) -> bool:
        """Whether it is gone within that time, whoever still holds its streams."""
        return await _comes(self._streams.exited, within_s)

    async def how_it_ended(self) -> str:
        """In words, with its last line of errors; also where it does not end."""
        if await self.gone(_PATIENCE_S) and self._draining is not None:
            await asyncio.wait({self._draining}, timeout=_PATIENCE_S)
        how = "it closed its output" if self.code is None else in_words(self.code)
        last = self._log.last[-1] if self._log and self._log.last else ""
        return f"{how}: {one_line(last, _LONGEST_TOLD)}" if last else how

    async def end(self, patience_s: float = _PATIENCE_S, *, at_once: bool = False) -> None:
        """Ends it and all it started: its input first, then a request, then by force. What it said
        last can still be read. Its streams, which something in another session may hold for ever,
        are waited for no longer than the program is."""
        try:
            if self._streams.stdin is not None:
                self._streams.stdin.close()
            if not at_once and not await self.gone(patience_s):
                self.kill(signal.SIGTERM)
                # The lifeline stays until the program has gone.
                await self.gone(patience_s)
        finally:
            self.kill()  # also what outlived it
            if self._alive >= 0:
                os.close(self._alive)
                self._alive = -1
        await self.gone(patience_s)
        await _comes(self._streams.silent, patience_s)
        self._transport.close()
        if self._draining is not None:
            await asyncio.wait({self._draining}, timeout=patience_s)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """To its whole group, which is there as long as one of it is."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)


class _Streams(SubprocessStreamProtocol):
    """Tells apart what `wait` of a process does not: that it has ended, and that nobody holds its
    streams any more."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(limit=most_bytes, loop=asyncio.get_running_loop())
        self.exited, self.silent = asyncio.Event(), asyncio.Event()
        self._open: set[int] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open = {1} if self.stderr is None else {1, 2}

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        super().pipe_connection_lost(fd, exc)
        self._open.discard(fd)
        if not self._open:
            self.silent.set()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


async def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: ErrorLog | None,
    most_bytes: int = _PIPE_BYTES,
) -> Running:
    """Starts a program, given by its whole path; without a log its errors are part of its output,
    and it has no input. A line of its output has `most_bytes` at most. Raises OSError where the
    system refuses."""
    seen, alive = os.pipe()
    try:
        transport, streams = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Streams(most_bytes),
            # -I, -S: nothing of the working directory or the environment is code of ours.
            *(sys.executable, "-I", "-S", str(_LIFELINE), str(seen), *command),
            stdin=PIPE if log else DEVNULL, stdout=PIPE, stderr=PIPE if log else STDOUT,
            env=dict(env), cwd=cwd, start_new_session=True, pass_fds=(seen,),
        )  # fmt: skip
    except ValueError as error:  # no text for a system, as one with a NUL
        os.close(alive)
        raise OSError(errno.EINVAL, str(error)) from None
    except BaseException:
        os.close(alive)
        raise
    finally:
        os.close(seen)
    return Running(transport, streams, alive, log)


def in_words(code: int) -> str:
    """How a program ended, by its exit code."""
    if code > 128:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(code - 128).name}"
    return f"it ended with exit code {code}"


async def _comes(event: asyncio.Event, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()
