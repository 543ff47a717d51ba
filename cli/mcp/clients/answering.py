"""Whether a command that stands in a client's file answers: it is started as the client would.

One message of the protocol is sent and one awaited; the official SDK is not needed for that.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_agent import __version__
from skill_agent.text.printing import exact

PROTOCOL = "2025-11-25"
"""The newest that begins with a handshake: clients still open with it."""
_MOST_BYTES = 1_000_000
_SHOWN = 200
_CLOSING_S = 15.0
"""How long a server that answered may take to close its home."""
_LAST_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it."""

    name: str = ""
    version: str = ""
    protocol: str = ""
    problem: str = ""
    hint: str = ""


async def answer(
    words: Sequence[str], *, environment: Mapping[str, str], folder: Path, seconds: float
) -> Answer:
    """Starts the command, says hello, and ends it; nothing of it runs on afterwards."""
    program = shutil.which(words[0], path=environment.get("PATH"))
    if program is None:
        return Answer(
            problem=f"{words[0]} is not there, or cannot be run",
            hint="put the path of today's `ska` in: ska mcp install CLIENT",
        )
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            program, *words[1:], stdin=pipe, stdout=pipe, stderr=pipe, limit=_MOST_BYTES,
            env={**os.environ, **environment}, cwd=folder, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return Answer(problem=f"{words[0]} cannot be started: {error.strerror or error}")
    complaints = asyncio.create_task(_tail(process.stderr))
    patience = 0.0
    try:
        async with asyncio.timeout(seconds):
            told = await _greeted(process, complaints)
        patience = 0.0 if told.problem else _CLOSING_S
        return told
    except TimeoutError:
        return Answer(
            problem=f"no answer within {seconds:g} s",
            hint="--timeout SECONDS waits longer; `ska up` hosts the home, which makes it quick",
        )
    finally:
        await _ended(process, complaints, patience=patience)


async def _greeted(process: asyncio.subprocess.Process, complaints: "asyncio.Task[str]") -> Answer:
    assert process.stdin and process.stdout
    hello = {
        "protocolVersion": PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "ska-status", "version": __version__},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    with suppress(ConnectionError):
        process.stdin.write(json.dumps(message).encode() + b"\n")
        await process.stdin.drain()
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            return Answer(problem=f"it wrote a line of more than {_MOST_BYTES:,} bytes")
        if not line:
            return await _gone(process, complaints)
        if line.strip() and (told := _read(line)) is not None:
            return told


def _read(line: bytes) -> Answer | None:
    """What a line says; None for a message that is not the answer."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        return Answer(
            problem=f"it wrote something else than messages: {_shown(line)}",
            hint="whatever is printed on its standard output breaks the connection",
        )
    if message.get("id") != 1 or "method" in message:
        return None
    if isinstance(failed := message.get("error"), dict):
        return Answer(problem=f"it refused: {_shown(str(failed.get('message', failed)))}")
    result = message.get("result")
    about: Any = result.get("serverInfo") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(about, dict):
        return Answer(problem="its answer does not say what it is")
    return Answer(
        name=_shown(str(about.get("name", ""))),
        version=_shown(str(about.get("version", ""))),
        protocol=_shown(str(result.get("protocolVersion", ""))),
    )


async def _gone(process: asyncio.subprocess.Process, complaints: "asyncio.Task[str]") -> Answer:
    """It ended, or closed its output, without an answer."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(complaints), 1)
    code = await process.wait()
    said = complaints.result() if complaints.done() else ""
    how = f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
    return Answer(problem=f"{how}: {said}" if said else how)


async def _tail(stream: asyncio.StreamReader | None) -> str:
    """The last line written there, of an error if one is told; all is taken, so that the process
    never waits for room."""
    last = b""
    while stream is not None and (piece := await stream.read(65_536)):
        last = (last + piece)[-4_000:]
    lines = [line for line in last.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return _shown((errors or lines)[-1]) if lines else ""


async def _ended(
    process: asyncio.subprocess.Process, complaints: "asyncio.Task[str]", *, patience: float
) -> None:
    """Ends the process with all it started: first it is told by the end of its input, for it may
    have a home to close."""
    if process.stdin:
        process.stdin.close()
    for told, seconds in ((None, patience), (signal.SIGTERM, _LAST_S)):
        if told:
            _tell(process, told)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            break
    _tell(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    complaints.cancel()
    with suppress(asyncio.CancelledError):
        await complaints
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()  # also pipes that something of another group still holds
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _LAST_S)


def _tell(process: asyncio.subprocess.Process, told: signal.Signals) -> None:
    """Sends a signal to the process and to what it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, told)
        else:
            process.kill()


def _shown(text: str | bytes) -> str:
    """A piece of another program's text, fit to be shown."""
    from skill_agent.text.redaction import redact

    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    line = exact(redact(" ".join(plain[: 4 * _SHOWN].split())))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
