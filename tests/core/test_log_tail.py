"""The end of a log: bounded however large it is, and nothing lost or told twice across rotation."""

import random
from pathlib import Path

import pytest

from skill_agent.files import log_tail
from skill_agent.files.log_tail import LogTail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "skill-agent.log"


def add(log: Path, *lines: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def rotate(log: Path) -> None:
    log.replace(log.with_name(f"{log.name}.1"))


def test_a_huge_log_is_read_from_its_end(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(20_000_000_000)  # no disk has to hold it
        file.seek(0, 2)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(9_000)))
    found = LogTail(log).read(most=3)
    assert found.lines == ("line 8997", "line 8998", "line 8999")
    add(log, "next")
    assert LogTail(log).read(found.after).lines == ("next",)


def test_one_endless_line_is_no_trap(log: Path) -> None:
    log.write_bytes(b"x" * (log_tail.MOST_BYTES + 10))
    found = LogTail(log).read()
    assert found.lines == ()
    add(log, "", "after")
    last = ""
    while lines := (found := LogTail(log).read(found.after)).lines:
        last = lines[-1]
    assert last == "after"


def test_nothing_is_lost_or_told_twice_whatever_happens(log: Path) -> None:
    """Lines, pieces of lines, rotations and looks in any order."""
    chance = random.Random(7)
    for _ in range(60):
        for one in (log, log.with_name(f"{log.name}.1")):
            one.unlink(missing_ok=True)
        written, told, number, rotated = list[str](), list[str](), 0, False
        after = LogTail(log).read().after
        for _ in range(40):
            match chance.choice("llllpprs"):
                case "l":
                    lines = [f"{number + each} é" for each in range(chance.randint(1, 5))]
                    number += len(lines)
                    add(log, *lines)
                    written += lines
                case "p":
                    with log.open("a", encoding="utf-8") as file:
                        file.write(f"{number} ")
                        found = LogTail(log).read(after, 3)
                        told, after = [*told, *found.lines], found.after
                        assert not found.missed
                        file.write("é\n")
                    written.append(f"{number} é")
                    number += 1
                case "r" if log.exists() and not rotated:
                    rotate(log)
                    rotated = True
                case _:
                    while True:
                        found = LogTail(log).read(after, 3)
                        told, after = [*told, *found.lines], found.after
                        assert not found.missed
                        if not found.lines:
                            break
                    rotated = rotated and not log.exists()
        while found := LogTail(log).read(after):
            told, after = [*told, *found.lines], found.after
            if not found.lines:
                break
        assert told == written


def test_what_was_rotated_away_twice_is_noticed(log: Path) -> None:
    add(log, "one")
    after = LogTail(log).read().after
    add(log, "two")
    rotate(log)
    other = log.with_name("kept")  # keeps its number from being given away again
    log.with_name(f"{log.name}.1").replace(other)
    add(log, "three")
    found = LogTail(log).read(after)
    assert found.missed and found.lines == ("three",)


@pytest.mark.parametrize("after", ["x", "-", "0-", "9-zz", "\x00", "f" * 400])
def test_what_nobody_gave(log: Path, after: str) -> None:
    add(log, "one")
    assert LogTail(log).read(after).lines == ("one",)
