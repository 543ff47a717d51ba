"""A backup is made while the home works, is whole or not there, and never stands in the way."""

import asyncio
import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.backups.making import STAGING
from skill_agent.errors import SkillAgentError, StoreError, UsageError
from skill_agent.events import TextDelta, TurnFinished
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import Backup, NewMemory


def model() -> ScriptedModel:
    return ScriptedModel(otherwise="All right.")


async def say(runtime: Runtime, text: str) -> None:
    events = [event async for event in runtime.ask(text, session=None)]
    assert isinstance(events[-1], TurnFinished)


def inside(backup: Backup) -> dict[str, bytes]:
    with tarfile.open(backup.path / "home.tar.gz") as tar:
        found = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        return {name: stream.read() for name, stream in found.items() if stream}


async def whole(runtime: Runtime, backup: Backup) -> int:
    """The messages of a backup that verifies."""
    check = await runtime.backups.verify(str(backup.id))
    assert check.problems == ()
    return check.messages


async def test_its_form(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(model()) as runtime:
        await say(runtime, "Hello")
        backup = await runtime.backups.create()
        assert backup.path.parent == home.backups == home.root.with_name("home-backups")
        assert sorted(one.name for one in backup.path.iterdir()) == ["backup.json", "home.tar.gz"]
        assert {one.stat().st_mode & 0o777 for one in backup.path.iterdir()} == {0o600}
        assert backup.path.stat().st_mode & 0o777 == 0o700
        summary = json.loads((backup.path / "backup.json").read_text())
        files = inside(backup)
        listed = json.loads(files.pop("manifest.json"))
        assert summary["format"] == listed["format"] == 1 and summary["version"]
        assert summary["head"] == listed["ledger"]
        assert summary["head"]["seq"] == await runtime.ledger.last_seq()
        assert {one["name"]: (one["size"], one["sha256"]) for one in listed["files"]} == {
            name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
        }
        assert {"ledger.duckdb", "config.toml", "agents.toml"} <= files.keys()
        assert not (home.run / STAGING).exists()


async def test_turns_go_on_and_nothing_is_lost(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        await runtime.memory.import_rows(
            [{"content": f"Fact number {n} of the garden"} for n in range(15_000)]
        )
        turns = beside = 0
        for _ in range(10):  # a quick machine makes one before a turn has ended
            making = asyncio.create_task(runtime.backups.create())
            while not making.done():
                await say(runtime, f"Question {turns}")
                turns += 1
                beside += not making.done()
            backup = await making
            assert await whole(runtime, backup) <= 2 * turns
            if beside:
                break
        assert beside > 0
        assert (await runtime.figures.counts())["messages"] == 2 * turns
        assert (await runtime.memory.verify()).problems == ()


async def test_a_turn_under_way_is_in_it_as_far_as_it_got(open_runtime: OpenRuntime) -> None:
    more = asyncio.Event()
    async with open_runtime(ScriptedModel([["half a ", Gate(more), "sentence"]])) as runtime:
        turn = runtime.ask("Hello")
        while not isinstance(await anext(turn), TextDelta):
            pass
        backup = await runtime.backups.create()
        assert await whole(runtime, backup) >= 1
        more.set()
        assert isinstance([event async for event in turn][-1], TurnFinished)


async def test_a_crash_in_the_middle_leaves_nothing_that_looks_whole(
    open_runtime: OpenRuntime, home: Home
) -> None:
    half = home.backups / ".backup-20261101T000000Z.unfinished"
    half.mkdir(parents=True)
    (half / "home.tar.gz").write_bytes(b"half")
    (home.run / STAGING / "home").mkdir(parents=True)
    (home.run / STAGING / "home" / "ledger.duckdb").write_bytes(b"half")
    foreign = home.backups / "notes"
    foreign.mkdir()
    async with open_runtime(model()) as runtime:
        assert await runtime.backups.list() == []
        backup = await runtime.backups.create()
        assert await runtime.backups.list() == [backup]
        assert not half.exists() and foreign.exists()
        assert await whole(runtime, backup) == 0


async def test_two_in_one_second_and_two_at_once(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(model()) as runtime:
        both = await asyncio.gather(runtime.backups.create(), runtime.backups.create())
        clock.now = both[1].at.replace(microsecond=0)
        clock.advance(seconds=-1)
        third = await runtime.backups.create()
        assert len({one.id for one in (*both, third)}) == 3
        assert len(await runtime.backups.list()) == 3


async def test_who_leaves_leaves_nothing_behind(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(model()) as runtime:
        rows = [{"content": f"Fact number {n} of the garden"} for n in range(2_000)]
        await runtime.memory.import_rows(rows)
        packing = asyncio.Event()

        def told(done: int, total: int, what: str) -> None:
            if what == "packing":
                packing.set()

        making = asyncio.create_task(runtime.backups.create(progress=told))
        await packing.wait()
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
        left = [one.name for one in home.backups.iterdir() if one.name != ".backups.lock"]
        assert not (home.run / STAGING).exists()
        assert left == [one.id for one in await runtime.backups.list()]


@pytest.mark.parametrize("where", ["", "run/backups", "../home/x"])
async def test_never_into_the_home_itself(
    open_runtime: OpenRuntime, home: Home, where: str
) -> None:
    async with open_runtime(model()) as runtime:
        with pytest.raises(UsageError, match="lies in the home"):
            await runtime.backups.create_in(str(home.root / where))


async def test_a_folder_that_cannot_be_one(open_runtime: OpenRuntime, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with open_runtime(model()) as runtime:
        with pytest.raises(UsageError, match="a file stands there") as caught:
            await runtime.backups.create_in(str(tmp_path / "file"))
        assert "--to" in caught.value.hint
        assert (await runtime.memory.verify()).problems == ()


@pytest.mark.deep
async def test_what_was_erased_meanwhile_is_in_no_new_backup(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(model()) as runtime:
        kept = await runtime.memory.add(NewMemory("My locker code is 4711"))
        rows = [{"content": f"Fact number {n} of the garden"} for n in range(15_000)]
        await runtime.memory.import_rows(rows)
        making = asyncio.create_task(runtime.backups.create())
        plan = await runtime.eraser.plan([kept.id])
        report = await runtime.eraser.erase([kept.id], expected=plan.digest)
        assert report.memories == 1
        outcome = (await asyncio.gather(making, return_exceptions=True))[0]
        if isinstance(outcome, Backup):  # it was done before, and then it is named
            assert report.backups == (outcome.path,)
        else:
            assert isinstance(outcome, SkillAgentError)
            assert await runtime.backups.list() == [] and report.backups == ()


async def test_a_purge_names_the_backups_that_hold_it(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(model()) as runtime:
        before = await runtime.backups.create()
        clock.advance(days=1)
        kept = await runtime.memory.add(NewMemory("My locker code is 4711"))
        clock.advance(days=1)
        after = await runtime.backups.create()
        plan = await runtime.eraser.plan([kept.id])
        report = await runtime.eraser.erase([kept.id], expected=plan.digest)
        assert report.backups == (after.path,) and report.problems == ()
        everything = await runtime.user_data.plan_purge()
        told = await runtime.user_data.erase(expected=everything.digest)
        assert set(told.backups) == {before.path, after.path}
        pruned = await runtime.backups.prune(before=clock())
        assert set(pruned.removed) == {before, after} and await runtime.backups.list() == []


async def test_verifying_finds_each_damage(open_runtime: OpenRuntime) -> None:
    async with open_runtime(model()) as runtime:
        backup = await runtime.backups.create()
        archive = backup.path / "home.tar.gz"
        good = archive.read_bytes()
        for bad in (
            good[:-1],
            good[:40],
            b"",
            good + b"x",
            good[:100] + bytes([good[100] ^ 1]) + good[101:],
        ):
            archive.write_bytes(bad)
            assert (await runtime.backups.verify(backup.id)).problems != ()
        archive.unlink()
        assert "cannot be read" in (await runtime.backups.verify(backup.id)).problems[0]
        archive.write_bytes(good)
        assert (await runtime.backups.verify(backup.id)).problems == ()


async def test_a_backup_of_a_newer_program_is_passed_over_and_told(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(model()) as runtime:
        backup = await runtime.backups.create()
        summary = backup.path / "backup.json"
        summary.write_text(summary.read_text().replace('"format": 1', '"format": 2'))
        assert await runtime.backups.list() == []
        with pytest.raises(StoreError, match="format 2") as caught:
            (await asyncio.to_thread(runtime._backups.shelf.one, str(backup.path)))
        assert "newer version" in caught.value.hint
