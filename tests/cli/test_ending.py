"""How commands end that are told to, that nobody reads any more, or that cannot say a word."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ska_processes import WITHIN_S, until
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home

Script = Callable[[str], Path]
ENDLESS = "ScriptedModel(otherwise=['The beginning ', Pause(600)])"
BUSY = """ScriptedModel(otherwise=lambda _: [__import__('threading').Thread(
    target=lambda: __import__('time').sleep(600)).start() or 'The beginning ', Pause(600)])"""
"""Besides, a thread that takes no notice of anything."""


class Told:
    """A command with a scripted model, whose output is read as it comes."""

    def __init__(self, script: Path, *arguments: str) -> None:
        self._script = script
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def read(self, text: str) -> None:
        """Waits until the text has come."""
        assert self.process.stdout
        assert self.process.stdout.read(len(text)) == text

    def end(self) -> tuple[int, str, str]:
        """The exit code, and what was still said."""
        said, errors = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, said, errors

    def last(self) -> dict[str, Any]:
        """The last message of the latest conversation."""
        done = subprocess.run(
            [sys.executable, str(self._script), "sessions", "show", "latest", "--json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=WITHIN_S,
        )  # fmt: skip
        return json.loads(done.stdout)["messages"][-1]


@pytest.fixture
def told(driver: Script) -> Iterator[Callable[..., Told]]:
    started: list[Told] = []

    def start(model: str, *arguments: str) -> Told:
        started.append(Told(driver(model), *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.mark.deep
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_was_said_is_kept(told: Callable[..., Told], number: int) -> None:
    one = told(BUSY, "ask", "tell me")
    one.read("The beginning ")
    one.process.send_signal(number)
    one.process.send_signal(number)  # as `timeout` and terminals do
    code, _, errors = one.end()
    assert code == 128 + number, errors
    assert "Traceback" not in errors
    kept = one.last()
    assert (kept["content"].strip(), kept["state"]) == ("The beginning", "partial")


@pytest.mark.deep
def test_a_chat_ends_in_the_midst_of_a_reply(told: Callable[..., Told]) -> None:
    one = told(ENDLESS, "chat")
    assert one.process.stdin
    one.process.stdin.write("tell me\n")
    one.process.stdin.flush()
    one.read("The beginning ")
    one.process.send_signal(signal.SIGTERM)
    code, _, errors = one.end()
    assert code == 143, errors
    assert "Traceback" not in errors
    assert one.last()["state"] == "partial"


@pytest.mark.deep
def test_a_chat_that_waits_for_a_line_ends(told: Callable[..., Told]) -> None:
    one = told(ENDLESS, "chat")
    assert one.process.stderr
    while "/help" not in one.process.stderr.readline():
        pass
    one.process.send_signal(signal.SIGHUP)
    code, _, errors = one.end()
    assert (code, "Traceback" in errors) == (129, False)
    assert HomeLock(Home(Path(os.environ["SKILL_AGENT_HOME"])).lock).holder() is None


@pytest.mark.deep
def test_who_reads_no_more_stops_the_turn(told: Callable[..., Told], driver: Script) -> None:
    words = "ScriptedModel(otherwise=['one\\n', *['more of it\\n', Pause(0.01)] * 3000])"
    one = told(words, "ask", "tell me")
    one.read("one\n")
    assert one.process.stdout
    one.process.stdout.close()
    assert one.process.stderr
    errors = one.process.stderr.read()
    assert one.process.wait(WITHIN_S) == 141
    assert not {"Traceback", "asyncio", "InvalidState"} & set(errors.replace(":", " ").split())
    assert one.last()["state"] == "partial"


@pytest.mark.parametrize(
    "command",
    [
        ("ask", "tell me"),
        ("--help",),
        pytest.param(("agents", "list"), marks=pytest.mark.deep),
        pytest.param(("agents", "list", "--json"), marks=pytest.mark.deep),
    ],
)
def test_a_full_device_is_an_error_of_its_own(driver: Script, command: tuple[str, ...]) -> None:
    script = driver("ScriptedModel(otherwise='All of it.')")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(script), *command],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=WITHIN_S,
        )  # fmt: skip
    assert done.returncode == 1
    assert "error: the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "streams",
    [
        "<&- >&- 2>&-",
        "2>/dev/full",
        *(pytest.param(one, marks=pytest.mark.deep) for one in ("<&-", ">&-", "2>&-")),
    ],
)
def test_closed_streams_are_no_obstacle(driver: Script, streams: str) -> None:
    script = driver("ScriptedModel(otherwise='All of it.')")
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" "$1" ask hello {streams}', sys.executable, str(script)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("" if ">&-" in streams.replace("2>&-", "") else "All of it.\n")
    assert "Traceback" not in done.stderr


@pytest.mark.deep
def test_a_stuck_end_has_a_bound(told: Callable[..., Told], tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    pauses = "__import__('time').sleep(600)"
    stuck = f"ScriptedModel(otherwise=lambda _: open({str(asked)!r}, 'w').close() or {pauses})"
    one = told(stuck, "chat")
    assert one.process.stdin
    one.process.stdin.write("tell me\n")
    one.process.stdin.flush()
    until(asked.exists)
    one.process.send_signal(signal.SIGTERM)
    code, _, errors = one.end()
    assert code == 143
    assert "closing takes longer than 10 s" in errors
