"""The person's own editor, out of the full screen: it has the real terminal, and its text comes."""

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ska_processes import WITHIN_S
from skill_agent.cli.opening.home_files import init_home

from skill_agent.files.home import Home

EDITOR = """
import os, pathlib, sys
assert os.isatty(0) and os.isatty(1) and os.isatty(2)
print("EDITOR HERE", flush=True)
line = sys.stdin.readline()
file = pathlib.Path(sys.argv[1])
file.write_text(file.read_text() + line)
"""


@pytest.fixture
def terminal(home: Home, driver: Callable[[str], Path], tmp_path: Path) -> Iterator[int]:
    """A terminal in which the full screen runs with an editor of the person's own."""
    init_home(home)
    script, editor = driver("ScriptedModel(otherwise='Read.')"), tmp_path / "editor.py"
    editor.write_text(EDITOR)
    pid, ours = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", "EDITOR": f"{sys.executable} {editor}"})
        os.environ.pop("VISUAL", None)
        os.execv(sys.executable, [sys.executable, str(script)])
    yield ours
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ours)


def read_until(terminal: int, text: str) -> None:
    said, end = "", time.monotonic() + WITHIN_S
    while text not in said:
        assert time.monotonic() < end, f"{text!r} never came: {said[-2000:]!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 65_536).decode("utf-8", "replace")


@pytest.mark.deep
def test_an_editor_has_the_terminal_and_gives_its_text(terminal: int) -> None:
    read_until(terminal, "Kyra")
    os.write(terminal, b"typed ")
    read_until(terminal, "typed")
    os.write(terminal, b"\x1be")  # Alt+E
    read_until(terminal, "EDITOR HERE")
    os.write(terminal, b"edited\n")
    read_until(terminal, "typed edited")
    os.write(terminal, b"\r")
    read_until(terminal, "Read.")
