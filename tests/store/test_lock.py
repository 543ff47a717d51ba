"""One owner a home: the second hears who, the dead are no owners."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from skill_agent.store.lock import HomeLock

from skill_agent.errors import HomeBusy

HOLDER = """
import sys
from pathlib import Path
from skill_agent.store.lock import HomeLock
lock = HomeLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
input()
"""


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "run" / "host.lock"


@pytest.fixture
def holder(lock_path: Path):
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def note_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def test_the_second_process_hears_who_has_the_home_and_what_to_do(holder, lock_path):
    with pytest.raises(HomeBusy) as caught:
        HomeLock(lock_path).acquire()
    busy = caught.value
    assert busy.pid == holder.pid
    assert str(busy).startswith(f"The home {lock_path.parent.parent} is in use by process")
    assert str(holder.pid) in busy.message
    assert str(holder.pid) in busy.hint
    seen = HomeLock(lock_path).holder()
    assert seen is not None
    assert seen.pid == holder.pid


def test_a_killed_owner_is_no_owner_whatever_its_note_says(holder, lock_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads(note_of(lock_path).read_text())["pid"] == holder.pid
    lock = HomeLock(lock_path)
    assert lock.holder() is None
    with lock:
        assert lock.held
        assert json.loads(note_of(lock_path).read_text())["pid"] == os.getpid()


def test_a_note_of_a_living_stranger_does_not_hold_a_free_home(lock_path):
    lock_path.parent.mkdir(parents=True)
    note_of(lock_path).write_text(json.dumps({"pid": 1, "since": "2026-11-20T09:00:00Z"}))
    with HomeLock(lock_path) as lock:
        assert lock.held


@pytest.mark.parametrize("note", ["", "{", '{"pid": "x"}', '{"pid": 999999999, "since": "now"}'])
def test_a_held_home_with_a_useless_note_is_still_busy(holder, lock_path, note):
    note_of(lock_path).write_text(note)
    with pytest.raises(HomeBusy) as caught:
        HomeLock(lock_path).acquire()
    assert caught.value.pid is None
    assert "another process" in caught.value.message


def test_releasing_gives_the_home_back_and_cleans_up(lock_path):
    first, second = HomeLock(lock_path), HomeLock(lock_path)
    first.acquire()
    first.acquire()
    with pytest.raises(HomeBusy) as caught:
        second.acquire()
    assert caught.value.pid == os.getpid()
    first.release()
    first.release()
    assert not first.held
    assert not note_of(lock_path).exists()
    second.acquire()
    second.release()


def test_the_files_are_private(lock_path):
    with HomeLock(lock_path):
        for path in (lock_path, note_of(lock_path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(lock_path.parent.stat().st_mode) == 0o700
    assert HomeLock(lock_path.with_name("never")).holder() is None


def test_trying_does_not_wait_and_does_not_raise(holder, lock_path):
    lock = HomeLock(lock_path)
    assert not lock.try_acquire()
    assert not lock.held
    holder.kill()
    holder.wait()
    assert lock.try_acquire()
    assert lock.try_acquire()
    assert lock.held
    assert not HomeLock(lock_path).try_acquire()
    lock.release()


def test_the_note_says_in_what_role_and_where(lock_path, tmp_path):
    with HomeLock(lock_path, role="tui") as lock:
        said = HomeLock(lock_path).said()
        assert said is not None
        assert (said.pid, said.role, said.socket) == (os.getpid(), "tui", "")
        assert said.version
        lock.listens_on(tmp_path / "host.sock")
        again = HomeLock(lock_path).holder()
        assert again is not None
        assert (again.socket, again.since) == (str(tmp_path / "host.sock"), said.since)
    assert HomeLock(lock_path).said() is None


def test_the_note_of_an_older_version_is_understood(holder, lock_path):
    note_of(lock_path).write_text(json.dumps({"pid": holder.pid, "since": "2026-11-20T09:00:00Z"}))
    found = HomeLock(lock_path).holder()
    assert found is not None
    assert (found.pid, found.role, found.socket) == (holder.pid, "", "")
