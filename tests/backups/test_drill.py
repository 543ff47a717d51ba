"""The drill of docs/backup.md: its commands are run in their order, over what they are for.

Comments of the page that nobody sees say what is lost before a block (`drill`), what must be
remembered after it (`expect`), and which command a block needs that may not be there (`needs`).
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from house import ROOT
from ska_processes import Processes, processes

from skill_agent.files.home import Home

PAGE = ROOT / "docs" / "backup.md"
KNOWN = {
    "heron": "The staging server is called heron",
    "crane": "The backup server is called crane",
    "finch": "The build server is called finch",
    "later": "The mail server is called later",
}
_PARTS = re.compile(r"<!-- (drill|expect|needs): (.*?) -->|^```sh\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of the page, with what stands around them."""

    commands: str
    loss: str
    needs: str
    expected: tuple[str, ...]


def blocks() -> Iterator[Block]:
    loss = needs = commands = ""
    for kind, said, code in _PARTS.findall(PAGE.read_text("utf-8")):
        if commands:
            yield Block(commands, loss, needs, tuple(said.split()) if kind == "expect" else ())
            loss = needs = commands = ""
        if kind == "drill":
            loss = said
        elif kind == "needs":
            needs = said
        elif code:
            commands = code
    if commands:
        yield Block(commands, loss, needs, ())


def lose_machine(running: Processes) -> None:
    running.run("down")
    for folder in (running.home.root, running.home.backups):
        shutil.rmtree(folder)


def lose_ledger(running: Processes) -> None:
    assert running.run("backup", "create").returncode == 0
    assert running.run("down").returncode == 0
    running.home.ledger.unlink()


def damage_block(running: Processes) -> None:
    running.run("down")
    place = running.home.ledger
    data = bytearray(place.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 4_096):
        data[at] ^= 0xFF
    place.write_bytes(data)


def erase_by_mistake(running: Processes) -> None:
    assert running.run("memory", "add", KNOWN["later"]).returncode == 0
    for one in running.json("memory", "list"):
        if "crane" in one["content"] or "finch" in one["content"]:
            done = running.run("memory", "forget", one["id"], "--purge", "--yes")
            assert done.returncode == 0, done.stderr
    assert remembered(running) == {KNOWN["heron"], KNOWN["later"]}


LOSSES: dict[str, Callable[[Processes], None]] = {
    "the machine is lost": lose_machine,
    "the ledger is lost": lose_ledger,
    "a block is damaged": damage_block,
    "memories are erased by mistake": erase_by_mistake,
}


def remembered(running: Processes) -> set[str]:
    return {one["content"] for one in running.json("memory", "list")}


def is_there(running: Processes, command: str) -> bool:
    _, name, option = command.split()
    return option in running.run(name, "--help").stdout


class Reader:
    """Somebody who types what the page says, on a machine of a test's own."""

    def __init__(self, home: Home, room: Path) -> None:
        self._room = room
        (room / "bin").mkdir()
        (room / "person").mkdir()
        (room / "person" / "backup-phrase").write_text("four words in a row\n")
        ska = room / "bin" / "ska"
        ska.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m skill_agent.cli "$@"\n')
        ska.chmod(0o755)
        self._around = {
            "PATH": f"{room / 'bin'}:/usr/bin:/bin",
            "HOME": str(room / "person"),
            "SKILL_AGENT_HOME": str(home.root),
            "LANG": "C.UTF-8",
        }

    def types(self, commands: str) -> None:
        here = commands.replace("/mnt/disk", str(self._room / "disk"))
        done = subprocess.run(
            ["/bin/sh", "-ec", here], env=self._around, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{here}\n{done.stdout}\n{done.stderr}"


@pytest.mark.deep
def test_each_command_of_the_page_does_what_it_says(home: Home, tmp_path: Path) -> None:
    pytest.importorskip("pyrage")
    reader, missing = Reader(home, tmp_path), list[str]()
    with processes(home, tmp_path / "errors") as running:
        for name in ("heron", "crane", "finch"):
            assert running.run("memory", "add", KNOWN[name]).returncode == 0
        for block in blocks():
            if block.needs and not is_there(running, block.needs):
                missing.append(block.needs)
                continue
            if block.loss:
                LOSSES[block.loss](running)
            reader.types(block.commands)
            if block.expected:
                assert remembered(running) == {KNOWN[one] for one in block.expected}, block
    if missing:
        pytest.skip(f"all but what needs: {', '.join(missing)}")


def test_each_loss_is_on_the_page_and_each_part_is_found() -> None:
    found = list(blocks())
    assert {one.loss for one in found} - {""} == LOSSES.keys()
    assert len(found) == PAGE.read_text("utf-8").count("```sh")
    assert sum(bool(one.expected) for one in found) == 4
