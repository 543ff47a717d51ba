"""`ska logs`: the last lines, and what comes after them, across rotations and broken pipes."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Ska
from skill_agent.cli.opening.building import log_to
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home

WITHIN_S = 30


@pytest.fixture
def log(home: Home) -> Path:
    home.logs.mkdir(parents=True)
    return home.logs / "skill-agent.log"


@contextmanager
def following(home: Home, *more: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "skill_agent.cli", "--home", str(home.root), "logs", "-f", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def add(log: Path, *lines: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_the_last_lines(ska: Ska, log: Path) -> None:
    add(log, *(f"line {number}" for number in range(100)))
    assert ska("logs").out.splitlines() == [f"line {number}" for number in range(50, 100)]
    assert ska("logs", "-n", "2").out.splitlines() == ["line 98", "line 99"]
    assert ska("logs", "-n", "0").out == ""


def test_what_is_logged_is_private_and_without_secrets(log: Path, home: Home) -> None:
    before = os.umask(0o022)
    stop = log_to(home)
    try:
        logging.getLogger("skill_agent.test").warning("refused: %s", "ghp_" + "q7Rw" * 9)
    finally:
        stop()
        os.umask(before)
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.read_text().endswith("refused: [redacted: GitHub token]\n")


def test_what_was_rotated_away_is_still_the_last(ska: Ska, log: Path) -> None:
    add(log.with_name("skill-agent.log.1"), "one", "two")
    add(log, "three")
    assert ska("logs", "-n", "2").out.splitlines() == ["two", "three"]


def test_nothing_yet(ska: Ska) -> None:
    done = ska("logs")
    assert (done.code, done.out) == (0, "")
    assert "nothing in" in done.err
    assert not ska.home.root.exists()


def test_what_up_printed_stands_apart(ska: Ska, log: Path) -> None:
    add(log, "the log")
    add(log.with_name("host.log"), "the host")
    assert ska("logs", "--host").out == "the host\n"


def test_stored_text_does_not_drive_the_terminal(ska: Ska, log: Path) -> None:
    log.write_bytes(b"a\x1b[2Jb \xff\n")
    assert ska("logs").out == "a[2Jb �\n"


def test_a_home_in_use_is_read_all_the_same(ska: Ska, log: Path) -> None:
    add(log, "here")
    with HomeLock(ska.home.lock):
        assert ska("logs").out == "here\n"


def test_following_goes_on_across_a_rotation(home: Home, log: Path) -> None:
    add(log, "before")
    with following(home) as process:
        assert line_of(process) == "before"
        add(log, "added")
        assert line_of(process) == "added"
        add(log, "last of the old file")
        log.rename(log.with_name("skill-agent.log.1"))
        add(log, "first of the new one")
        assert line_of(process) == "last of the old file"
        assert line_of(process) == "first of the new one"
        log.write_text("")
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 130
        assert process.stderr and process.stderr.read() == ""


def test_following_waits_for_a_log_that_is_not_there_yet(home: Home) -> None:
    with following(home) as process:
        assert process.stderr and "nothing in" in process.stderr.readline()
        home.logs.mkdir(parents=True)
        add(home.logs / "skill-agent.log", "there it is")
        assert line_of(process) == "there it is"


def test_half_a_line_is_shown_once_it_is_whole(home: Home, log: Path) -> None:
    add(log, "begin")
    with following(home) as process, log.open("a", encoding="utf-8") as file:
        assert line_of(process) == "begin"
        file.write("half ")
        file.flush()
        os.fsync(file.fileno())
        file.write("and whole\n")
        file.flush()
        assert line_of(process) == "half and whole"


def test_it_ends_quietly_when_nobody_reads_even_if_nothing_is_added(home: Home, log: Path) -> None:
    add(log, "one")
    with following(home) as process:
        assert line_of(process) == "one"
        assert process.stdout
        process.stdout.close()
        process.wait(WITHIN_S)
        assert process.stderr and process.stderr.read() == ""
