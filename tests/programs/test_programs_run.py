"""A program of others: what it is given, what is kept of its errors, and that nothing is left."""

import asyncio
import errno
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes import StepClock

from skill_agent.acp_client.terminals import Terminals
from skill_agent.programs.environment import PROXIES, environment
from skill_agent.programs.error_log import ErrorLog, last_lines
from skill_agent.programs.running import Running, start

SECRET = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345"
LEFT = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], **{}).pid, flush=True)"
ELSEWHERE = LEFT.format("{'start_new_session': True}")
"""Starts what holds its streams in another session, tells its id and ends."""


@pytest.fixture
def log(tmp_path: Path) -> ErrorLog:
    return ErrorLog(tmp_path / "logs" / "x.log", StepClock())


async def started(folder: Path, log: ErrorLog | None, command: Sequence[str]) -> Running:
    return await start(command, cwd=folder, env=environment(), log=log)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not re.search(r"\) Z ", Path(f"/proc/{pid}/stat").read_text())


@asynccontextmanager
async def ended(running: Running) -> AsyncIterator[Running]:
    try:
        yield running
    finally:
        await running.end(at_once=True)


@pytest.mark.parametrize(
    ("code", "number", "told"),
    [
        ("exit 3", 3, "it ended with exit code 3"),
        ("kill -KILL $$", 137, "it was ended by SIGKILL"),
        ("kill -PIPE $$", 141, "it was ended by SIGPIPE"),
        ("kill -XFSZ $$", 153, "it was ended by SIGXFSZ"),
    ],
)
async def test_it_ends_as_a_shell_tells_it(
    tmp_path: Path, log: ErrorLog, code: str, number: int, told: str
) -> None:
    """Python ignores two signals; what a shell starts does not."""
    async with ended(await started(tmp_path, log, ("/bin/sh", "-c", code))) as running:
        assert await running.how_it_ended() == told
        assert running.code == number


async def test_what_is_no_program_says_so(tmp_path: Path, log: ErrorLog) -> None:
    async with ended(await started(tmp_path, log, (str(tmp_path),))) as running:
        assert "exit code 127: " in await running.how_it_ended()
        assert log.last == (f"{tmp_path}: Permission denied",)


async def test_what_the_system_refuses_leaves_nothing_open(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208

    before = descriptors()
    with pytest.raises(OSError) as refused:
        await started(tmp_path, None, ("/bin/echo", "a\0b"))
    assert refused.value.errno == errno.EINVAL and refused.value.strerror
    with pytest.raises(FileNotFoundError):
        await started(tmp_path / "nowhere", None, ("/bin/echo",))
    assert descriptors() == before


async def test_what_it_leaves_behind_ends_with_it(tmp_path: Path, log: ErrorLog) -> None:
    async with ended(await started(tmp_path, log, python(LEFT.format("{}")))) as running:
        left = int(await running.output.readline())
        assert await running.gone(20)
        while runs(left):  # noqa: ASYNC110 - nobody tells of the end of a stranger
            await asyncio.sleep(0.01)


async def test_streams_held_in_another_session_are_let_go(tmp_path: Path, log: ErrorLog) -> None:
    running = await started(tmp_path, log, python(ELSEWHERE))
    left = int(await running.output.readline())
    try:
        assert await running.gone(20)
        await running.end(0.2)
        assert await running.output.read() == b""
        assert runs(left)
    finally:
        os.kill(left, 9)


async def test_a_terminal_waits_for_its_command_only(tmp_path: Path) -> None:
    terminals = Terminals()
    name = await terminals.create(python(ELSEWHERE), cwd=tmp_path, env={}, most=None)
    assert await terminals.wait(name) == 0
    left = int(terminals.output(name)[0])
    try:
        await terminals.end()
        assert runs(left)
    finally:
        os.kill(left, 9)


async def test_its_last_words_are_kept_beyond_what_the_log_takes(
    tmp_path: Path, log: ErrorLog
) -> None:
    last = f"{SECRET} is wrong: word"
    flood = f"import sys; sys.stderr.write('{'y' * 99}\\n' * 5_000 + '{last}'); sys.exit(2)"
    log.begin(["is wrong"])
    async with ended(await started(tmp_path, log, python(flood))) as running:
        told = await running.how_it_ended()
    assert "exit code 2: [" in told and "bytes more were dropped] " in told
    assert told.endswith(": word")
    assert SECRET not in told and "is wrong" not in told
    assert log.file.stat().st_size < 150_000 and SECRET not in log.file.read_text()
    assert log.file.stat().st_mode & 0o777 == 0o600


async def test_half_a_line_is_not_told(log: ErrorLog) -> None:
    """Its other half may be the key to it."""
    await log.take(b"z" * 200_000 + SECRET[:20].encode())
    await log.take(SECRET[20:].encode() + b"\n")
    await log.end()
    assert last_lines(log.file, 1)[0].endswith("bytes more were dropped]")
    assert SECRET[20:] not in log.file.read_text()


def test_the_environment_is_little_and_a_proxy_is_named() -> None:
    of = {"PATH": "/bin", "LC_ALL": "C", "HTTPS_PROXY": "http://a:b@c", "AWS_SECRET": "x"}
    assert environment(of=of) == {"PATH": "/bin", "LC_ALL": "C"}
    assert environment(PROXIES, of=of).keys() == {"PATH", "LC_ALL", "HTTPS_PROXY"}
    assert environment(["AWS_SECRET", "NOT_SET"], of=of)["AWS_SECRET"] == "x"
