"""The full screen as a process on a terminal of its own: told to end, stopped, closed."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ska_processes import WITHIN_S, until
from skill_agent.cli.opening.home_files import init_home

from skill_agent.files.home import Home

SLOW = "ScriptedModel(otherwise=['The beginning ', Pause(600)])"
STUCK = "ScriptedModel(otherwise=lambda _: ['The beginning', __import__('time').sleep(600)])"
LEFT = (
    "\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?1003l", "\x1b[?2004l", "\x1b[?1004l",
    "\x1b[?7h", "\x1b[<u", "\x1b[23;0t",
)  # fmt: skip
"""The alternate screen, a hidden cursor, reports of mouse, pastes and focus, lines that are not
wrapped and Kitty's keyboard are left, and the window has its title again."""


class Window:
    """A terminal and what runs in it."""

    def __init__(self, script: Path, **environment: str) -> None:
        self._script = script
        self.said = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", **environment})
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            os.execv(sys.executable, [sys.executable, str(script)])

    def read_until(self, text: str) -> None:
        """Takes what is drawn until the text is."""
        end = time.monotonic() + WITHIN_S
        while text not in self.said:
            assert time.monotonic() < end, f"{text!r} never came: {self.said[-2000:]!r}"
            assert self._read(), f"it ended: {self.said[-2000:]!r}"

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 0.1)
        if not ready:
            return True
        with suppress(OSError):
            piece = os.read(self._terminal, 65_536).decode("utf-8", "replace")
            self.said += piece
            return bool(piece)
        return False

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def tell(self, number: int) -> None:
        os.kill(self.pid, number)

    def stopped(self) -> bool:
        self._read()
        said = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(self.pid)], capture_output=True, text=True, check=True
        )
        return said.stdout.startswith("T")

    def close(self) -> None:
        """As when the window is closed."""
        os.close(self._terminal)
        self._terminal = -1

    def end(self) -> int:
        """The exit code."""
        end = time.monotonic() + WITHIN_S
        while time.monotonic() < end:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                while self._terminal >= 0 and self._read():
                    if not select.select([self._terminal], [], [], 0)[0]:
                        break
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            if self._terminal >= 0:
                self._read()
            else:
                time.sleep(0.02)
        raise AssertionError(f"it never ended: {self.said[-2000:]!r}")

    def kept(self) -> list[tuple[str, str]]:
        """The messages of the latest conversation, each with its state."""
        done = subprocess.run(
            [sys.executable, str(self._script), "sessions", "show", "latest", "--json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=WITHIN_S,
        )  # fmt: skip
        messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
        return [(one["content"].strip(), one["state"]) for one in messages]

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._terminal >= 0:
            os.close(self._terminal)


@pytest.fixture
def window(home: Home, driver: Callable[[str], Path]) -> Iterator[Callable[..., Window]]:
    init_home(home)
    opened: list[Window] = []

    def open_window(model: str, **environment: str) -> Window:
        opened.append(Window(driver(model), **environment))
        return opened[-1]

    yield open_window
    for one in opened:
        one.kill()


def log(home: Home) -> str:
    file = home.logs / "tui.log"
    return file.read_text() if file.exists() else ""


def talking(window: Window) -> None:
    window.read_until("Write a message")
    window.read_until("Kyra")
    window.type("tell me\r")
    window.read_until("The beginning")


@pytest.mark.deep
def test_stopped_it_comes_back_whole_and_told_to_end_it_leaves_nothing(
    home: Home, window: Callable[..., Window]
) -> None:
    one = window(SLOW)
    talking(one)
    one.said = ""
    one.tell(signal.SIGTSTP)
    until(one.stopped)
    one.read_until(LEFT[0])
    one.said = ""
    one.tell(signal.SIGCONT)
    one.read_until("Write a message")
    one.read_until("The beginning")
    one.said = ""
    one.tell(signal.SIGTERM)
    assert one.end() == 143
    assert [said for said in LEFT if said not in one.said] == []
    assert one.said.rfind("\x1b[?1049l") > one.said.rfind("\x1b[?1049h")
    assert one.kept() == [("tell me", "complete"), ("The beginning", "partial")]
    assert "Traceback" not in log(home)


@pytest.mark.deep
def test_a_closed_window_keeps_what_stood_in_it(home: Home, window: Callable[..., Window]) -> None:
    one = window(SLOW)
    talking(one)
    one.close()
    assert one.end() == 129
    assert one.kept() == [("tell me", "complete"), ("The beginning", "partial")]
    assert "Traceback" not in log(home)


def test_a_terminal_that_cannot_be_drawn_on_gets_words_and_no_sequences(
    window: Callable[..., Window],
) -> None:
    one = window("ScriptedModel(otherwise='All right.')", TERM="dumb")
    one.read_until("kyra> ")
    one.type("hello\n")
    one.read_until("has answered")
    one.type("/quit\n")
    assert one.end() == 0
    assert "Kyra is thinking" in one.said and "All right." in one.said
    assert "\x1b" not in one.said


WHITE = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
KIND = "\x1b[?62;4c"
LIGHT_GROUND, DARK_GROUND = "48;2;250;249;246", "48;2;20;22;27"


@pytest.mark.deep
def test_a_light_terminal_gets_a_light_window(window: Callable[..., Window]) -> None:
    one = window(SLOW, COLORTERM="truecolor")
    one.type(WHITE + KIND)  # it waits there until it is asked for
    one.read_until("Write a message")
    assert LIGHT_GROUND in one.said and DARK_GROUND not in one.said
    one.tell(signal.SIGTERM)
    assert one.end() == 143


@pytest.mark.deep
def test_an_answer_that_comes_late_is_never_taken_for_words(window: Callable[..., Window]) -> None:
    one = window(SLOW, COLORTERM="truecolor")
    one.read_until("Write a message")
    assert DARK_GROUND in one.said
    one.type("say " + WHITE + KIND)
    one.type("hello")
    one.read_until("hello")
    one.type("\r")
    one.read_until("The beginning")
    one.tell(signal.SIGTERM)
    assert one.end() == 143
    assert one.kept()[0] == ("say hello", "complete")


@pytest.mark.deep
def test_ctrl_z_gives_the_shell_its_terminal_and_comes_back(window: Callable[..., Window]) -> None:
    one = window(SLOW)
    talking(one)
    one.said = ""
    one.type("\x1a")
    until(one.stopped)
    one.read_until(LEFT[0])
    assert [said for said in LEFT if said not in one.said] == []
    one.said = ""
    one.tell(signal.SIGCONT)
    one.read_until("The beginning")
    one.read_until("\x1b]2;")
    one.tell(signal.SIGTERM)
    assert one.end() == 143


@pytest.mark.deep
@pytest.mark.parametrize("again", [True, False])
def test_one_that_is_stuck_leaves_the_terminal_too(
    window: Callable[..., Window], again: bool
) -> None:
    one = window(STUCK)
    one.read_until("Write a message")
    one.read_until("Kyra")
    one.type("tell me\r")
    time.sleep(3)
    one.said = ""
    one.tell(signal.SIGTERM)
    if again:
        time.sleep(1)
        one.tell(signal.SIGTERM)
    assert one.end() == 143
    assert [said for said in LEFT if said not in one.said] == []
