"""Real `ska` processes on a home of a test's own, none of which outlives the test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from skill_agent.store.lock import Holder, HomeLock

from skill_agent.files.home import Home

SKA = [sys.executable, "-m", "skill_agent.cli"]
WITHIN_S = 60.0


class Processes:
    """Starts `ska` commands and looks after them."""

    def __init__(self, home: Home, errors: Path) -> None:
        self.home = home
        self._errors = errors
        self._started: list[subprocess.Popen[str]] = []
        self._hosts: set[int] = set()

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """One command to its end."""
        done = subprocess.run(
            [*SKA, "--home", str(self.home.root), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
            env={**os.environ, **environment},
        )  # fmt: skip
        self._note_host()
        return done

    def json(self, *arguments: str) -> Any:
        """What a command that must succeed prints as JSON."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command that stays; its standard error goes to a file, see `said`."""
        with self._errors.open("a") as errors:
            process = subprocess.Popen(
                [*SKA, "--home", str(self.home.root), *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        self._started.append(process)
        return process

    @property
    def said(self) -> str:
        """Everything the started commands put on standard error."""
        return self._errors.read_text() if self._errors.exists() else ""

    @property
    def holder(self) -> Holder | None:
        """Who has the home, by the note and the lock."""
        return HomeLock(self.home.lock).holder()

    def hosted_by(self, pid: int) -> bool:
        """Whether this process has the home and listens."""
        holder = HomeLock(self.home.lock).said()
        return holder is not None and holder.pid == pid and bool(holder.socket)

    def until_hosted_by(self, process: "subprocess.Popen[str]") -> None:
        """Waits until this process has the home and listens; it must not end before."""
        until(lambda: self.hosted_by(process.pid) or process.poll() is not None, lambda: self.said)
        assert process.poll() is None, self.said

    def close(self) -> None:
        """Ends what was started, and hosts that were started in the background."""
        self._note_host()
        for process in self._started:
            process.kill()
        for process in self._started:
            process.communicate()
        for pid in self._hosts:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _note_host(self) -> None:
        holder = HomeLock(self.home.lock).said()
        if holder is not None and holder.pid != os.getpid():
            self._hosts.add(holder.pid)


@contextmanager
def processes(home: Home, errors: Path) -> Iterator[Processes]:
    made = Processes(home, errors)
    try:
        yield made
    finally:
        made.close()


def until(what: Callable[[], bool], why: Callable[[], str] = lambda: "") -> None:
    """Waits until something is so."""
    end = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < end, f"it never came to be {why()}"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    return False
