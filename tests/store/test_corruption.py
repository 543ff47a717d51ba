"""Files of a home damaged at random: what is there is shown right, refused with a next step, or
salvaged; never a trace, never an empty home. `make deep` tries 200 damages and prints the verdicts.
"""

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Done, Ska

from skill_agent.files.home import Home

FACTS = {f"The machine number {number} is called heron{number}" for number in range(12)}
IN_LOG = "What only the write-ahead log has"
SAID = "When do I deploy number"

KILLED = f"""
import asyncio, os, sys
from datetime import UTC, datetime
from skill_agent.store.duckdb_ledger.ledger import DuckLedger
from skill_agent.values import Memory, MemoryChange
async def main():
    ledger = await DuckLedger.open(sys.argv[1])
    now = datetime.now(UTC)
    memory = Memory(id="in-the-log", content="{IN_LOG}", created_at=now, updated_at=now)
    await ledger.write_memories([MemoryChange(kind="memory.created", memory=memory, actor="u")])
    await ledger.counts()
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""

Damage = Callable[[bytearray, random.Random], bytearray | None]


def flip(content: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 8, 64))):
        if content:
            content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    return content


def cut(content: bytearray, chance: random.Random) -> bytearray:
    return content[: chance.randrange(len(content) + 1)]


def swap(content: bytearray, chance: random.Random) -> bytearray:
    """Two blocks of a database's size, or two halves."""
    size = 262_144 if len(content) > 1_000_000 else max(1, len(content) // 4)
    first, second = sorted(chance.sample(range(max(2, len(content) // size)), 2))
    one = content[first * size : (first + 1) * size]
    content[first * size : first * size + len(one)] = content[second * size :][: len(one)]
    content[second * size : second * size + len(one)] = one
    return content


def zero(content: bytearray, chance: random.Random) -> bytearray:
    at = chance.randrange(len(content) + 1)
    content[at : at + 4_096] = bytes(len(content[at : at + 4_096]))
    return content


def delete(content: bytearray, chance: random.Random) -> None:
    return None


DAMAGES: tuple[Damage, ...] = (flip, cut, swap, zero, delete)


@pytest.fixture
def whole(home: Home, ska: Ska, tmp_path: Path) -> Path:
    """A small home with one of everything, closed in good order."""
    rows = [json.dumps({"content": one}) for one in sorted(FACTS)]
    (tmp_path / "facts.jsonl").write_text("\n".join(rows))
    assert ska("memory", "import", str(tmp_path / "facts.jsonl"), "--yes").code == 0
    for number in range(3):
        assert ska("ask", f"{SAID} {number}?").code == 0
    ska("memory", "search", "heron")
    ska("keys", "create", "phone")
    (home.drafts / "draft.json").write_text('{"text": "half a sentence"}')
    home.rules.write_text("")
    subprocess.run([sys.executable, "-c", KILLED, str(home.ledger)], check=False)
    assert home.ledger.with_name("ledger.duckdb.wal").stat().st_size
    return home.root


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str]) -> Ska:
    return Ska(home, capsys)


def files_of(root: Path) -> list[Path]:
    return sorted(
        one.relative_to(root)
        for one in root.rglob("*")
        if one.is_file() and one.suffix not in (".lock", ".log")
    )


class Fuzz:
    """One damaged home after another."""

    def __init__(self, whole: Path, ska: Ska) -> None:
        self._ska = ska
        self._root = ska.home.root
        self._kept = self._root.with_name("kept")
        shutil.copytree(whole, self._kept)

    def verdict(self, damage: Damage, file: Path, chance: random.Random) -> str:
        shutil.rmtree(self._root)
        shutil.copytree(self._kept, self._root)
        changed = damage(bytearray((self._root / file).read_bytes()), chance)
        if changed is None:
            (self._root / file).unlink()
        else:
            (self._root / file).write_bytes(changed)
        return self._verdict()

    def _verdict(self) -> str:
        shown = self._expected("memory", "list", "--limit", "100", "--json")
        said = self._expected("sessions", "search", SAID, "--json")
        found = self._expected("memory", "search", "heron3", "--json")
        if not any(one.code for one in (shown, said, found)):
            assert {one["content"] for one in shown.json} == {*FACTS, IN_LOG}
            assert said.out.count(SAID) >= 3
            assert "heron3" in found.out
            return "right"
        doctor = self._ska("doctor")
        assert doctor.code in (0, 1), doctor.err
        assert "Traceback" not in doctor.err
        mend = [line for line in doctor.out.splitlines() if "mend it" in line]
        assert not any("ska doctor" in line for line in mend)
        if "--salvage" not in shown.err + said.err + found.err:
            return "refused"
        return self._salvaged()

    def _salvaged(self) -> str:
        done = self._expected("doctor", "--salvage", "--yes")
        if done.code:
            return "refused"
        if "is whole" in done.err:
            return "refused"
        shown = self._expected("memory", "list", "--limit", "100", "--json")
        assert shown.code == 0, shown.err
        assert "no problems" in self._ska("memory", "verify").err
        kept = {one["content"] for one in shown.json}
        every = {*FACTS, IN_LOG}
        assert kept <= every
        return "salvaged whole" if kept == every else "salvaged in part"

    def _expected(self, *command: str) -> Done:
        """What is refused says what to do next, and nothing is unexpected."""
        done = self._ska(*command)
        assert "unexpected" not in done.err, (command, done.err)
        assert "Traceback" not in done.err
        if done.code:
            assert "hint:" in done.err, (command, done.err)
        return done


def tried(whole: Path, ska: Ska, count: int, seed: int) -> Counter[str]:
    fuzz, chance, verdicts = Fuzz(whole, ska), random.Random(seed), Counter[str]()
    files = files_of(whole)
    ours = [one for one in files if one.name.startswith(("ledger", "config", "agents", "api"))]
    wrong: list[str] = []
    for number in range(count):
        file = chance.choice(ours if number % 2 else files)
        damage = DAMAGES[number % len(DAMAGES)]
        try:
            verdicts[fuzz.verdict(damage, file, chance)] += 1
        except AssertionError as error:
            wrong.append(f"{number}: {damage.__name__} of {file}: {str(error)[:600]}")
    assert not wrong, "\n".join(wrong)
    return verdicts


@pytest.mark.deep
def test_a_few_damages(whole: Path, ska: Ska) -> None:
    verdicts = tried(whole, ska, 6, seed=11)
    assert sum(verdicts.values()) == 6


@pytest.mark.deep
def test_many_damages(whole: Path, ska: Ska, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = tried(whole, ska, 200, seed=20_261_130)
    with capsys.disabled():
        print(f"\n200 damages: {dict(verdicts.most_common())}")
    assert verdicts["right"] > 50
