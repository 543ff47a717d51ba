"""Homes on full disks and on such as cannot be written: reading works, writing says why not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Done, Ska
from mounting import fill, small_disk, written_nowhere

from skill_agent.files.home import Home

READS = [
    ("memory", "list"), ("memory", "search", "heron"), ("memory", "verify"), ("sessions", "list"),
    ("sessions", "show", "latest"), ("status",), ("agents", "list"), ("skills", "list"),
    ("config", "show"), ("keys", "list"), ("approvals", "list"), ("migrate", "status"),
]  # fmt: skip
WRITES = [
    ("memory", "add", "more"), ("memory", "rebuild"), ("ask", "hello"),
    ("sessions", "rename", "latest", "Else"), ("keys", "create", "phone"),
    ("agents", "new", "nora"),
]  # fmt: skip


class Elsewhere(Ska):
    """Names its home on the command line."""

    def __call__(self, *arguments: str, **other: Any) -> Done:
        return super().__call__("--home", str(self.home.root), *arguments, **other)


def filled(ska: Ska) -> Ska:
    ska("memory", "add", "The staging server is called heron")
    ska("ask", "When do I deploy?")
    assert "heron" in ska("memory", "search", "heron").out
    return ska


@pytest.fixture
def read_only(ska: Ska, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Ska]:
    filled(ska)
    with written_nowhere(ska.home.root, tmp_path / "medium") as at:
        yield Elsewhere(Home(at), capsys)


def test_a_read_only_home_is_read(read_only: Ska) -> None:
    for command in READS:
        done = read_only(*command)
        assert done.code == 0, (command, done.err)
    assert "heron" in read_only("memory", "list").out
    assert "heron" in read_only("memory", "search", "heron").out
    told = read_only("memory", "list").err
    assert "read-only" in told
    assert str(read_only.home.root) in told


def test_a_read_only_home_is_exported_elsewhere(read_only: Ska, tmp_path: Path) -> None:
    for command in (("user", "export"), ("memory", "export", "-o")):
        target = tmp_path / f"{command[0]}.out"
        done = read_only(*command, str(target))
        assert done.code == 0, done.err
        assert target.stat().st_size > 0


def test_writing_to_a_read_only_home_says_so(read_only: Ska) -> None:
    for command in WRITES:
        done = read_only(*command)
        assert done.code in (1, 2), (command, done)
        assert "read-only" in done.err.replace("Read-only", "read-only"), (command, done.err)
        assert str(read_only.home.root) in done.err
        assert "unexpected" not in done.err


def test_the_doctor_of_a_read_only_home(read_only: Ska) -> None:
    found = {one["id"]: one for one in read_only("doctor", "--json").json}
    assert found["home"]["level"] == "warning"
    assert found["ledger"]["level"] == "ok"
    assert "stores" not in found


@pytest.fixture
def full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Ska, Path]]:
    with small_disk(tmp_path / "small", "16m") as disk:
        ska = filled(Elsewhere(Home(disk / "home"), capsys))
        yield ska, fill(disk)


def test_a_home_on_a_full_disk(full: tuple[Ska, Path]) -> None:
    ska, room = full
    for command in READS:
        done = ska(*command)
        assert done.code == 0, (command, done.err)
    assert "heron" in ska("memory", "list").out
    for command in (("memory", "add", "x" * 100_000), ("memory", "rebuild")):
        done = ska(*command)
        assert done.code == 1, (command, done)
        assert "no space left on" in done.err
        assert "MB free" in done.err
        assert "nothing that was saved is lost" in done.err
    assert not list(ska.home.root.rglob("*.new"))
    room.unlink()
    assert "no problems" in ska("memory", "verify").err
    ska("memory", "add", "The second heron")
    assert "second heron" in ska("memory", "search", "heron").out
