"""What is a person's goes along whole, comes in whole, and goes away whole."""

import asyncio
import hashlib
import json
import random
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedder, OpenRuntime, StepClock
from in_process import open_in_process

from skill_agent.errors import UsageError
from skill_agent.files.home import Home
from skill_agent.files.written import WrittenFiles
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.privacy.erasure import Eraser
from skill_agent.privacy.user_data import UserData
from skill_agent.values import ClientContext, MemoryChange, NewMemory, ToolCall, TurnRequest

MARKER = "quokka-4711"
SCRIPT = Path(__file__).with_name("erased.py")


def data_of(runtime: Runtime, clock: StepClock, user: str = "me") -> UserData:
    parts = {
        "ledger": runtime.ledger,
        "projector": runtime._projector,
        "home": runtime.home,
        "clock": clock,
        "user": user,
    }
    return UserData(eraser=Eraser(**parts), **parts)


def contents(path: Path) -> dict[str, Any]:
    """The parts of an archive, the manifest's moment and signature left out."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    del parts["manifest.json"]["created_at"], parts["manifest.json"]["signed"]
    return parts


def every_byte(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file())


def hidden(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


def broken(sound: Path, path: Path, breaking: Callable[[Path], object]) -> Path:
    path.write_bytes(sound.read_bytes())
    breaking(path)
    return path


async def say(runtime: Runtime, text: str, **options: Any) -> None:
    async for _ in runtime.ask(text, **options):
        pass


async def live(runtime: Runtime) -> None:
    """Conversations with tools, memories of every status, usage, an archived session."""
    await say(runtime, f"Remember that my code is {MARKER}")
    await say(runtime, "What is my code?")
    await runtime.conversations.delete("latest")
    await say(runtime, "Look for the gym", session="latest")
    book = runtime.memory
    await book.add(
        NewMemory("I live in Lisbon", memory_type="user_profile", metadata={"a": [1, None]})
    )
    old = await book.add(NewMemory("The gym opens at six", subject="gym.hours"))
    await book.forget(old.id, reason=f"not {MARKER} any more")
    await book.add(NewMemory("I am Kyra", memory_type="identity", agent="kyra"))
    await book.add(NewMemory("Anna is left-handed", memory_type="user_profile", user="anna"))
    tea = await book.add("likes tea")
    change = replace(tea, extraction_model="qwen", confidence=0.7)
    await runtime.ledger.write_memories(
        [MemoryChange(kind="memory.edited", memory=change, actor="person")]
    )
    data = {"session": "x", "summary": f"code {MARKER}"}
    await runtime.ledger.note("compacted", "x", actor="kyra", data=data)
    await runtime.ledger.note("extraction.queued", "x", actor="kyra", data={"session": "x"})
    await runtime.memory.settle()


def model() -> ScriptedModel:
    search = ToolCall(id="call-1", name="search_memory", arguments={"query": "gym"})
    return ScriptedModel(["Kept.", f"{MARKER}!", [search], "It is open."], otherwise="Yes.")


async def test_a_round_trip_loses_nothing(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path
) -> None:
    first, second = tmp_path / "one.zip", tmp_path / "two.zip"
    async with open_runtime(model()) as runtime:
        await live(runtime)
        told = await data_of(runtime, clock).export(first)
        messages = {one.id: one for s in await runtime.conversations.list()
                    for one in await runtime.conversations.messages(s.id)}  # fmt: skip
        assert any(one.tool_calls for one in messages.values())
        assert any(one.context for one in messages.values())
        total = (await runtime.figures.usage()).total
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert told.counts == contents(first)["manifest.json"]["counts"]
    assert told.counts["sessions"] == 2
    assert told.counts["memories"] == 4, "neither Kyra's identity nor what is Anna's"
    assert told.counts["usage"] == 3 + 4, "each turn, and each call of a model"

    opened = open_in_process(
        tmp_path / "other", create=True, gateway=ScriptedGateway(ScriptedModel()), clock=clock
    )
    async with opened as other:
        data = data_of(other, clock)
        done = await data.import_(first, trust=True, key=told.key)
        assert done.added == {k: told.counts[k] for k in ("sessions", "messages", "memories")} | {
            "notes": told.counts["notes"] + told.counts["usage"]
        }
        assert done.conflicts == ()
        await data.export(second)
        assert contents(second) == contents(first)
        for session in await other.conversations.list():
            for message in await other.conversations.messages(session.id):
                assert message == messages[message.id]
        assert (await other.figures.usage()).total == total
        assert (await other.memory.verify()).problems == ()
        again = await data.import_(first, trust=True, key=told.key)
        assert set(again.added.values()) == {0}
        assert again.skipped == done.added


async def test_the_exporters_own_become_the_importers(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path
) -> None:
    async with open_runtime(model()) as runtime:
        await live(runtime)
        key = (await data_of(runtime, clock).export(tmp_path / "me.zip")).key
    opened = open_in_process(
        tmp_path / "other", create=True, gateway=ScriptedGateway(ScriptedModel()), clock=clock
    )
    async with opened as other:
        lea = data_of(other, clock, user="lea")
        await lea.import_(tmp_path / "me.zip", trust=True, key=key)
        (profile,) = [m for m in await other.memory.list() if m.memory_type == "user_profile"]
        assert profile.user == "lea"


async def test_an_export_never_replaces_a_file(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path
) -> None:
    target = tmp_path / "mine.zip"
    target.write_text("precious")
    async with open_runtime(model()) as runtime:
        with pytest.raises(UsageError, match="exists"):
            await data_of(runtime, clock).export(target)
        with pytest.raises(UsageError, match="cannot write"):
            await data_of(runtime, clock).export(tmp_path / "no" / "where.zip")
    assert target.read_text() == "precious"
    assert hidden(tmp_path) == []


Parts = dict[str, bytes]


def damaged(change: Callable[[Parts], None]) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, raw in parts.items():
                archive.writestr(name, raw)

    return act


def _rewritten(name: str, edit: Callable[[Any], None]) -> Callable[[Path], None]:
    """A part changed by somebody who mends the digest too."""

    def change(parts: Parts) -> None:
        value, manifest = json.loads(parts[name]), json.loads(parts["manifest.json"])
        edit(value)
        parts[name] = json.dumps(value).encode()
        manifest["sha256"][name] = hashlib.sha256(parts[name]).hexdigest()
        parts["manifest.json"] = json.dumps(manifest).encode()

    return damaged(change)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    path.write_bytes(bytes(raw))


def _bomb(parts: Parts) -> None:
    parts["memories.json"] = b"[" + b" " * 20_000_000 + b"]"


BROKEN: dict[str, Callable[[Path], object]] = {
    "no zip": lambda path: path.write_text("Dear diary"),
    "gone": lambda path: path.unlink(),
    "cut": _cut,
    "flipped": _flip,
    "foreign": damaged(lambda parts: parts.clear()),
    "path trick": damaged(lambda parts: parts.update({"../evil.json": b"{}"})),
    "further file": damaged(lambda parts: parts.update({"run.sh": b"rm"})),
    "altered": damaged(lambda parts: parts.update({"usage.json": b"{}"})),
    "bomb": damaged(_bomb),
    "newer": damaged(
        lambda parts: parts.update(
            {"manifest.json": parts["manifest.json"].replace(b'"format": 1', b'"format": 2')}
        )
    ),
    "bad memory": _rewritten(
        "memories.json", lambda value: value["memories"][-1].update(importance=99)
    ),
    "bad role": _rewritten(
        "conversations.json", lambda value: value["sessions"][0]["messages"][0].update(role="boss")
    ),
    "bad context": _rewritten(
        "conversations.json",
        lambda value: value["sessions"][0]["messages"][0].update(client_context={"earlier": 1}),
    ),
    "bad place": _rewritten(
        "conversations.json", lambda value: value["sessions"][0]["messages"][1].update(position=0)
    ),
    "surrogate": _rewritten(
        "conversations.json", lambda value: value["sessions"][0].update(title="\ud800")
    ),
    "bad note": _rewritten("usage.json", lambda value: value["notes"][0].update(at="noon")),
    "list": _rewritten("usage.json", lambda value: value.update(notes={})),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that is whole."""
    folder = tmp_path_factory.mktemp("sound")

    async def make() -> None:
        gateway = ScriptedGateway(model())
        clock = StepClock()
        async with open_in_process(
            folder / "h", create=True, gateway=gateway, embedder=HashEmbedder(), clock=clock
        ) as runtime:
            await live(runtime)
            await data_of(runtime, clock).export(folder / "sound.zip")

    asyncio.run(make())
    return folder / "sound.zip"


def _as_formerly(value: Any) -> None:
    """Conversations as versions wrote them that had no field for what client programs sent."""
    for session in value["sessions"]:
        for row in session["messages"]:
            if sent := row.pop("client_context"):
                lead = "The program this message came through adds its own instructions:"
                row["content"] = (
                    f"{lead}\n```brought\n{sent['instructions']}\n```\n\n{row['content']}"
                )


async def test_an_archive_of_an_older_version_comes_in_as_one_of_today(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path
) -> None:
    today, formerly = tmp_path / "today.zip", tmp_path / "formerly.zip"
    sent = ClientContext(instructions="Be brief.")
    async with open_runtime(ScriptedModel(["Nothing."])) as runtime:
        async for _ in runtime.turns.ask(TurnRequest("What is new?", client_context=sent)):
            pass
        await data_of(runtime, clock).export(today)
    _rewritten("conversations.json", _as_formerly)(broken(today, formerly, lambda _: None))
    assert (
        "client_context"
        not in contents(formerly)["conversations.json"]["sessions"][0]["messages"][0]
    )
    opened = open_in_process(
        tmp_path / "other", create=True, gateway=ScriptedGateway(ScriptedModel()), clock=clock
    )
    async with opened as other:
        await data_of(other, clock).import_(formerly)
        session = await other.conversations.find("latest")
        first, _ = await other.conversations.messages(session.id)
        assert (first.client_context, first.content) == (sent, "What is new?")
        again = await data_of(other, clock).import_(today)
        assert again.conflicts == () and set(again.added.values()) == {0}
        assert (await other.memory.verify()).problems == ()


async def test_a_file_that_is_not_whole_brings_nothing(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path, sound: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        before = await runtime.ledger.counts()
        for name, breaking in BROKEN.items():
            path = broken(sound, tmp_path / f"{name}.zip", breaking)
            with pytest.raises(UsageError, match="Nothing was imported") as caught:
                await data_of(runtime, clock).import_(path)
            assert caught.value.hint, name
            assert await runtime.ledger.counts() == before, name
    assert not (tmp_path / "evil.json").exists()


async def test_a_purge_leaves_nothing_of_the_person(
    open_runtime: OpenRuntime, home: Home, clock: StepClock, tmp_path: Path
) -> None:
    async with open_runtime(model()) as runtime:
        await live(runtime)
        data = data_of(runtime, clock)
        await data.export(tmp_path / "mine.zip")
        copy = home.root / "copy.duckdb"
        await runtime.ledger.backup(str(copy))
        WrittenFiles(home, clock).add(copy, "backup")
        home.kv_cache.mkdir(parents=True, exist_ok=True)
        (home.kv_cache / "x.kv").write_text(MARKER)
        (home.drafts / "s.json").write_text(MARKER)
        (home.logs / "tui.log").write_text(MARKER)
        (home.run / "history").write_text(MARKER)
        plan = await data.plan_purge()
        assert (len(plan.sessions), len(plan.memories), plan.kept) == (2, 4, 2)
        assert plan.messages > 6
        report = await data.purge(reason="leaving")
        assert (report.sessions, report.memories) == (2, 4)
        assert report.problems == (
            f"not erased: {tmp_path / 'mine.zip'} "
            "(your own archive; delete it yourself if it is not wanted)",
        )
        left = await runtime.memory.list()
        assert {one.memory_type for one in left if one.user is None} == {"identity"}
        assert {one.user for one in left} == {None, "anna"}
        assert await runtime.conversations.list() == []
        assert (await runtime.figures.usage()).total.prompt_tokens == 0
        assert (await runtime.memory.verify()).problems == ()
        assert (await data.plan_purge()).sessions == ()
    raw = every_byte(home.root)
    for word in ("quokka", "in Lisbon", "What is my code", "The gym"):
        assert word.encode() not in raw, word
    assert b"left-handed" in raw
    assert home.lock.exists()
    assert (tmp_path / "mine.zip").exists()
    async with open_runtime(ScriptedModel(otherwise="Hello.")) as runtime:
        assert (await runtime.memory.verify()).problems == ()
        await say(runtime, "Hello")
        await data_of(runtime, clock).import_(tmp_path / "mine.zip")
        assert len(await runtime.ledger.sessions(archived=True)) == 1
        found = await runtime.memory.search("my code")
        assert any(MARKER in one.hit.item.text for one in found)
        assert (await runtime.memory.verify()).problems == ()


def run_and_kill(home: Home, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(home.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "purging\n"
    time.sleep(seconds)
    process.kill()
    process.communicate()


@pytest.mark.deep
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_purge_killed_anywhere_can_be_finished(
    open_runtime: OpenRuntime, home: Home, clock: StepClock, seed: int
) -> None:
    run_and_kill(home, random.Random(seed).uniform(0.0, 0.6))
    async with open_runtime(ScriptedModel(otherwise="Hi.")) as runtime:
        data = data_of(runtime, clock)
        assert (await runtime.memory.verify()).problems == ()
        await data._eraser.finish()
        for memory in await runtime.memory.list():
            plan = await data._eraser.plan([memory.id])
            assert (await data._eraser.purge(plan)).problems == ()
        assert (await runtime.memory.verify()).problems == ()
    assert b"quokka" not in every_byte(home.root)
