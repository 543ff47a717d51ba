"""A job that runs a program: only one whose whole path the settings name, and without a shell."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from skill_agent.errors import Forbidden, UsageError
from skill_agent.text.redaction import masked
from skill_agent.text.whole import whole
from skill_agent.values import Job, JobRun

from .kind import Outcome, Plain

MOST_BYTES = 64_000
"""Of what a program writes; the rest is read and thrown away."""
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL")
"""Environment variables with such names are not handed on."""


class CommandKind(Plain):
    """`--kind command`."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = frozenset(allowed)

    async def preflight(self, job: Job) -> None:
        check_command(job.command, self._allowed)

    async def run(self, job: Job, run: JobRun) -> Outcome:
        check_command(job.command, self._allowed)
        process = await asyncio.create_subprocess_exec(
            *job.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={k: v for k, v in os.environ.items() if not any(s in k.upper() for s in _SECRET)},
            cwd="/",
            start_new_session=True,
        )
        try:
            text = await _read(process)
            code = await process.wait()
        finally:
            _end(process)
            await asyncio.shield(process.wait())
        text = masked(whole(text)).strip()
        if code:
            said = text.splitlines()[-1] if text else "it said nothing"
            return Outcome(
                text=text, error_kind="lasting", error=f"exit code {code}: {said}",
                origins=("tool",),
            )  # fmt: skip
        return Outcome(text=text, origins=("tool",))


def check_command(command: Sequence[str], allowed: frozenset[str]) -> None:
    """Raises UsageError for what is no command, and Forbidden for one nobody allowed."""
    if not command:
        raise UsageError("which program?", hint="ska jobs add WHEN --kind command -- /path/to/it")
    program = command[0]
    if program not in allowed or not Path(program).is_absolute():
        named = f'add "{program}" to commands under [jobs] in config.toml'
        raise Forbidden(
            f"jobs may not run {program!r}",
            hint=named if Path(program).is_absolute() else "give the whole path of the program",
        )
    if not os.access(program, os.X_OK):
        raise UsageError(f"{program} cannot be run", hint="is it there, and executable?")


async def _read(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    kept, more = bytearray(), False
    while piece := await process.stdout.read(65_536):
        room = MOST_BYTES - len(kept)
        kept += piece[:room]
        more = more or len(piece) > room
    return kept.decode("utf-8", "replace") + ("\n(the rest is cut)" if more else "")


def _end(process: asyncio.subprocess.Process) -> None:
    """Also what it has started itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
