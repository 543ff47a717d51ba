"""The right to be forgotten: told before, done everywhere, and nothing else with it."""

import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes import OpenRuntime, StepClock

from skill_agent.errors import NotFound
from skill_agent.events import MemorySaved
from skill_agent.files.home import Home
from skill_agent.files.traces import HomeTraces
from skill_agent.files.written import WrittenFiles
from skill_agent.host.runtime import Runtime
from skill_agent.memory.words.phrases import Finder, Phrase, phrase_form
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.privacy.erasure import Eraser
from skill_agent.values import Memory, NewMemory, Purge

MARKER = "quokka-4711"
TOLD = f"Remember that my locker code is {MARKER}"


def every_byte(folder: Path) -> bytes:
    """All files of a closed home, archives opened."""
    found = b""
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        found += file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                found += b"".join(archive.read(name) for name in archive.namelist())
    return found


def eraser_of(runtime: Runtime, clock: StepClock) -> Eraser:
    return Eraser(
        ledger=runtime.ledger,
        projector=runtime._projector,
        home=runtime.home,
        clock=clock,
        user="me",
    )


def answers(request: ModelRequest) -> str:
    """Says what stands in the prompt, as models do."""
    text = " ".join(message.content for message in request.messages)
    return f"It is {MARKER}." if MARKER in text else "I do not know."


async def say(runtime: Runtime, text: str, *, session: str | None = None) -> str:
    """The memory that came of it, if any."""
    saved = ""
    async for event in runtime.ask(text, session=session):
        if isinstance(event, MemorySaved):
            saved = event.memory_id
    await runtime.memory.settle()
    return saved


@asynccontextmanager
async def told(open_runtime: OpenRuntime) -> AsyncIterator[tuple[Runtime, str]]:
    """A home that knows the secret, was asked for it in another session, and knows more."""
    async with open_runtime(ScriptedModel(otherwise=answers)) as runtime:
        secret = await say(runtime, TOLD)
        await say(runtime, "Remember that the gym opens at seven")
        await say(runtime, "What is my locker code?")
        await say(runtime, "And the code again, please?", session="latest")
        yield runtime, secret


def scatter(home: Home, written: WrittenFiles, rows: list[dict[str, object]]) -> dict[str, Path]:
    """Files that repeat the secret: caches, logs, drafts, histories, exports."""
    home.kv_cache.mkdir(parents=True, exist_ok=True)
    (home.kv_cache / "abc.kv").write_bytes(b"\0\1" + TOLD.encode())
    (home.logs / "tui.log").write_text(f"one line\nnow {MARKER} here\nlast line\n")
    (home.drafts / "s1.json").write_text(json.dumps({"text": f"it is {MARKER}", "waiting": []}))
    (home.drafts / "s2.json").write_text(json.dumps({"text": "Hello", "waiting": []}))
    (home.run / "history").write_text(f"{TOLD}\nHello\n")
    files = {name: home.root / name for name in ("m.jsonl", "talk.md", "all.zip", "edited.jsonl")}
    for name in ("m.jsonl", "edited.jsonl"):
        files[name].write_text("".join(json.dumps(row) + "\n" for row in rows))
    files["talk.md"].write_text(f"# Talk\n\n> {TOLD}\n")
    with zipfile.ZipFile(files["all.zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("memories.json", json.dumps(rows))
    written.add(files["m.jsonl"], "memories")
    written.add(files["edited.jsonl"], "memories")
    written.add(files["talk.md"], "sessions")
    written.add(files["all.zip"], "user")
    return files


async def test_a_secret_is_erased_from_every_byte_of_the_home(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    async with told(open_runtime) as (runtime, secret):
        written = WrittenFiles(home, clock)
        files = scatter(home, written, [row async for row in runtime.memory.export()])
        files["edited.jsonl"].write_text("my own notes\n")
        backup = home.root / "copy.duckdb"
        await runtime.ledger.backup(str(backup))
        written.add(backup, "backup")
        eraser = eraser_of(runtime, clock)

        plan = await eraser.plan([secret])
        assert [one.id for one in plan.memories] == [secret]
        assert [m.role for m in plan.messages].count("user") == 1
        assert plan.counts["messages"] == 5, "the turn it came from, and three replies"
        assert plan.counts["titles"] == 1
        turns = {message.turn for message in plan.messages}
        calls = [call for turn in turns for call in await runtime.turns.prompt(turn)]
        assert any(MARKER in call.text for call in calls), "what a model said is kept, for a while"
        fates = {one.path.name: one.fate for one in plan.files}
        assert fates == {
            "m.jsonl": "rewritten",
            "edited.jsonl": "not erased",
            "talk.md": "deleted",
            "all.zip": "deleted",
            "copy.duckdb": "deleted",
        }

        report = await eraser.purge(plan, reason="it changed")
        assert report.files == plan.files
        assert report.problems == (f"not erased: {files['edited.jsonl']} (it was changed since)",)
        assert (report.memories, report.messages) == (1, 5)
        assert (await runtime.memory.verify()).problems == ()
        found = await runtime.memory.search("When does the gym open?")
        assert "gym" in found[0].hit.item.text.lower()
        (row,) = [json.loads(line) for line in files["m.jsonl"].read_text().splitlines()]
        assert "gym" in row["content"]
    assert MARKER.encode() not in every_byte(home.root)
    assert b"quokka" not in every_byte(home.root)
    assert (home.logs / "tui.log").read_text() == "one line\nlast line\n"
    assert (home.run / "history").read_text() == "Hello\n"
    assert [file.name for file in home.drafts.iterdir()] == ["s2.json"]
    async with open_runtime(ScriptedModel(otherwise=answers)) as runtime:
        assert (await runtime.memory.verify()).problems == ()
        assert {one.title for one in await runtime.conversations.list()} > {"(erased)"}
        assert not await runtime.conversations.search("4711")
        await say(runtime, "What is my locker code?")
        (reply,) = (
            await runtime.conversations.messages((await runtime.conversations.find("latest")).id)
        )[1:]
        assert reply.content == "I do not know."
        await runtime.memory.settle()
        assert "gym" in (await runtime.memory.search("gym"))[0].hit.item.text.lower()


async def test_a_correction_takes_the_earlier_version_along(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        old = await runtime.memory.add("The alarm code is zebra-1")
        new = await runtime.memory.add(
            NewMemory("The alarm code is heron-2", metadata={"previous": [old.id]})
        )
        other = await runtime.memory.add("The alarm is loud")
        for start in (old.id, new.id):
            plan = await eraser_of(runtime, clock).plan([start])
            assert {one.id for one in plan.memories} == {old.id, new.id}
        assert other.id not in {one.id for one in plan.memories}


async def test_what_says_it_word_for_word_goes_and_a_mere_kin_stays(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel(otherwise="Fine.")) as runtime:
        book = runtime.memory
        first = await book.add("my PIN is 9021")
        twin = await book.add("Note to self: My  pin\nis 9021, do not tell")
        kin = await book.add("The bank gave me a PIN")
        await runtime.ledger.note(
            "compacted", "s", actor="kyra", data={"session": "s", "summary": "My PIN is 9021."}
        )
        plan = await eraser_of(runtime, clock).plan([first.id])
        assert {one.id for one in plan.memories} == {first.id, twin.id}
        assert len(plan.notes) == 1
        await eraser_of(runtime, clock).purge(plan)
        assert [m.id for m in await book.list()] == [kin.id]
        assert (await book.verify()).problems == ()
    assert b" 9021" not in every_byte(home.root)


async def test_a_memory_that_once_said_it_keeps_only_what_it_says_now(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    from dataclasses import replace

    from skill_agent.values import MemoryChange

    async with open_runtime(ScriptedModel()) as runtime:
        first = await runtime.memory.add("The key is under stone 88")
        other = await runtime.memory.add("Mia said: the key is under stone 88")
        now = replace(other, content="Mia knows where the key is")
        await runtime.ledger.write_memories(
            [MemoryChange(kind="memory.corrected", memory=now, actor="person")]
        )
        await runtime.memory.settle()
        eraser = eraser_of(runtime, clock)
        plan = await eraser.plan([first.id])
        assert plan.restated == (other.id,)
        report = await eraser.purge(plan)
        assert report.problems == ()
        assert await runtime.memory.get(other.id) == now
        assert (await runtime.memory.verify()).problems == ()
    assert b"stone 88" not in every_byte(home.root)


async def test_a_reply_to_a_prompt_that_held_it_stays_if_it_tells_nothing(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    replies = ["Kept.", f"Yes: {MARKER}!", "The sun shines."]
    async with open_runtime(ScriptedModel(replies)) as runtime:
        secret = await say(runtime, TOLD)
        await say(runtime, "What is my locker code?")
        await say(runtime, "How is my locker?", session="latest")
        plan = await eraser_of(runtime, clock).plan([secret])
        gone = {message.content for message in plan.messages}
        assert gone == {TOLD, "Kept.", f"Yes: {MARKER}!"}


async def test_disputes_and_relations_with_the_erased_end(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    from skill_agent.values import Source

    async with open_runtime(ScriptedModel()) as runtime:
        now = clock()
        pair = [
            Memory(id=f"row-{n}", content=text, created_at=now, updated_at=now, status="disputed",
                   contradicts=(f"row-{1 - n}",), source=Source())
            for n, text in enumerate(("I live in Porto", "I live in Faro"))
        ]  # fmt: skip
        await runtime.ledger.import_memories(pair, actor="import")
        eraser = eraser_of(runtime, clock)
        await eraser.purge(await eraser.plan(["row-0"]))
        left = await runtime.memory.get("row-1")
        assert (left.status, left.contradicts) == ("active", ())


async def test_what_the_person_wrote_is_named_not_touched(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    async with told(open_runtime) as (runtime, secret):
        home.config.write_text(home.config.read_text() + f"# my locker code is {MARKER}\n")
        notes = home.root / "notes.md"
        notes.write_text(f"The code:\n{MARKER}\n")
        gone = home.root / "moved.jsonl"
        gone.write_text("{}\n")
        WrittenFiles(home, clock).add(gone, "memories")
        gone.unlink()
        eraser = eraser_of(runtime, clock)
        report = await eraser.purge(await eraser.plan([secret]))
        assert MARKER in home.config.read_text()
        assert any(str(home.config) in problem for problem in report.problems)
        assert any(str(notes) in problem for problem in report.problems)
        assert any("moved.jsonl" in problem for problem in report.problems)


async def test_no_link_leads_a_purge_out_of_the_home(
    open_runtime: OpenRuntime, home: Home, clock: StepClock, tmp_path: Path
) -> None:
    """A program of another make leaves what it likes in the folder that we gave it."""
    letter, folder = tmp_path / "letter.txt", home.run / "outside" / "a1"
    async with told(open_runtime) as (runtime, secret):
        letter.write_text(f"Dear Ann,\n{TOLD}\n")
        folder.mkdir(parents=True)
        (folder / "copy.txt").write_text(f"{TOLD}\nHello\n")
        (folder / "letter.txt").symlink_to(letter)
        eraser = eraser_of(runtime, clock)
        await eraser.purge(await eraser.plan([secret]))
        assert (folder / "copy.txt").read_text() == "Hello\n"
        assert letter.read_text() == f"Dear Ann,\n{TOLD}\n"
        HomeTraces(home).clear()
        assert not [*folder.iterdir()]
        assert letter.exists()


async def test_look_alikes_are_named(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        first = await runtime.memory.add("the blue bike stands in the cellar")
        alike = await runtime.memory.add("in the cellar stands the blue bike")
        await runtime.memory.add("Mia likes apples")
        plan = await eraser_of(runtime, clock).plan([first.id])
        assert [one.id for one in plan.alike] == [alike.id]


async def test_a_purge_of_nothing_or_the_unknown_is_refused(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(NotFound, match="no memory"):
            await eraser_of(runtime, clock).plan(["0198f2aa"])


async def test_a_crash_after_the_ledger_is_finished_by_the_next_opening(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    """The ledger has erased it, the index has not heard of it."""
    async with told(open_runtime) as (runtime, secret):
        plan = await eraser_of(runtime, clock).plan([secret])
        (home.root / "erasing").touch()
        ids = tuple(one.id for one in plan.messages)
        await runtime.ledger.purge(
            Purge(memories=(secret,), messages=ids, notes=plan.notes, titles=plan.titles, actor="p")
        )
        # As if killed here: closing would let the index catch up.
        await runtime.ledger.close()
        runtime._projector.problem = RuntimeError("killed")
    async with open_runtime(ScriptedModel()) as runtime:
        assert await eraser_of(runtime, clock).finish() == ""
        assert await eraser_of(runtime, clock).finish() == ""
    assert b"quokka" not in every_byte(home.root)


def test_phrases() -> None:
    assert Phrase("My PIN is 9021.").within("well, my  pin\nis 9021 now")
    assert not Phrase("902").within("9021")
    assert not Phrase("").within("anything")
    assert Phrase("四七").within("我的密码是四七一一")
    assert Phrase("cafe\u0301").within(phrase_form("Le CAFÉ du port")), (
        "one accent, written two ways"
    )
    assert Phrase("ＫＬ").within(phrase_form("plate kl 220"))
    assert Phrase("서울").within("서울에서")
    finder = Finder(["the word"], ["a"])
    assert finder('{"id": "a"}')
    assert not finder('{"related_to": ["a"]}')
    assert finder('[{"text": "the\\nword"}]')
    assert not finder("{broken")


async def test_a_note_of_what_changed_means_nothing_once_a_side_is_gone(
    open_runtime: OpenRuntime, home: Home, clock: StepClock
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        old = await runtime.memory.add("My vet is Dr. Quillfeather")
        await runtime.memory.add("My vet is now Dr. Shaw")
        await runtime.memory.search("vet")
        assert len(await runtime.memory.updates()) == 1
        eraser = eraser_of(runtime, clock)
        await eraser.purge(await eraser.plan([old.id]))
        assert await runtime.memory.updates() == []
        assert [one.hit.until for one in await runtime.memory.search("vet")] == [None]
        assert (await runtime.memory.verify()).problems == ()
    assert b"Quillfeather" not in every_byte(home.root)
