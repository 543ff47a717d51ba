"""The kinds of background work that come with the program, over a real home."""

import asyncio
from pathlib import Path

import pytest
from errands import in_state, rows
from exports import chatgpt, written
from fakes import OpenRuntime

from skill_agent.errors import NotFound, UsageError
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import NewCollaboration, NewMemory, NewWork, Purge, Work

SECRET = "quokka-4711"


async def done(runtime: Runtime, kind: str, **payload: object) -> Work:
    begun = await runtime.work.start_here(NewWork(kind=kind, payload=payload))
    return await ended(runtime, begun.id)


async def ended(runtime: Runtime, name: str) -> Work:
    while not (found := await runtime.work.get(name)).ended:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found


async def kept_first(runtime: Runtime, name: str) -> None:
    """Returns once the first slice is on disk."""
    while "saved" not in (await runtime.work.get(name)).message:  # noqa: ASYNC110
        await asyncio.sleep(0)


def many(path: Path, count: int = 1_200) -> Path:
    """Several slices of 500 conversations each."""
    return written(path, [chatgpt(f"c{number}", ("I like tea.",)) for number in range(count)])


async def test_the_quick_ones(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        await runtime.memory.add("The gym opens at six")
        rebuilt = await done(runtime, "rebuild")
        assert (rebuilt.state, rebuilt.result) == ("completed", "1 items indexed")
        tidied = await done(runtime, "consolidate", summarise=False)
        assert tidied.state == "completed" and "0 merged" in tidied.result
        verified = await done(runtime, "verify")
        assert verified.state == "completed" and verified.result.endswith("no problems")
        made = await done(runtime, "backup")
        assert made.state == "completed"
        (backup,) = await runtime.backups.list()
        assert made.result == str(backup.path)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("rebuild", {"fast": True}),
        ("consolidate", {"summarise": "perhaps"}),
        ("import", {"source": "chatgpt"}),
        ("import", {"path": "relative", "source": "chatgpt"}),
        ("import", {"path": "/nowhere/at/all", "source": "chatgpt"}),
        ("import", {"path": "/tmp", "source": "nobody"}),
        ("collaboration", {}),
        ("backup", {"passphrase": "so many words"}),
    ],
)
async def test_a_payload_that_does_not_fit(
    open_runtime: OpenRuntime, kind: str, payload: dict[str, object]
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(UsageError):
            await runtime.work.start_here(NewWork(kind=kind, payload=payload))
        with pytest.raises(NotFound):
            await runtime.work.start(
                NewWork(kind="collaboration", payload={"collaboration": "nothing"})
            )
        assert await runtime.work.list() == []


async def test_files_of_this_machine_are_for_who_sits_at_it(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        export = many(tmp_path / "conversations.json", 1)
        for kind, payload in (
            ("import", {"path": str(export), "source": "chatgpt"}),
            ("backup", {"to": str(tmp_path / "disk")}),
        ):
            with pytest.raises(UsageError, match="files of the machine"):
                await runtime.work.start(NewWork(kind=kind, payload=payload))


async def test_an_import_is_paused_between_slices_and_goes_on(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        export = many(tmp_path / "conversations.json")
        payload = {"path": str(export), "source": "chatgpt", "read": False}
        begun = await runtime.work.start_here(NewWork(kind="import", payload=payload))
        await kept_first(runtime, begun.id)
        paused = await runtime.work.pause(begun.id)
        assert paused.state == "paused" and 0.0 < paused.progress < 1.0
        counts = await runtime.figures.counts()
        assert 0 < counts["sessions"] < 1_200
        await asyncio.sleep(0.05)
        assert await runtime.figures.counts() == counts
        (batch,) = await runtime.imports.list()
        assert batch.state == "unfinished"
        await runtime.work.resume(begun.id)
        whole = await ended(runtime, begun.id)
        assert whole.state == "completed" and batch.id in whole.result
        assert "1,200 conversations, 1,200 messages" in whole.result
        assert (await runtime.figures.counts())["sessions"] == 1_200
        assert (await runtime.memory.verify()).problems == ()
        assert len(await rows(runtime, begun.id)) <= 7


async def test_a_rebuild_that_was_stopped_leaves_a_home_that_finds(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        for number in range(30):
            await runtime.memory.add(f"Fact {number} of the garden")
        begun = await runtime.work.start(NewWork(kind="rebuild"))
        await runtime.work.cancel(begun.id)
        await runtime.memory.settle()
        assert (await runtime.memory.status()).lag == 0
        assert (await runtime._projector.counts())["items"] == 30


async def test_a_collaboration_is_followed_stopped_and_resumed(
    open_runtime: OpenRuntime,
) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([["Half ", Gate(gate), "done."]], otherwise="All right.")
    async with open_runtime(model) as runtime:
        goal = NewCollaboration("Name the garden", pattern="brainstorm")
        one = await runtime.collaborations.start(goal)
        new = NewWork(kind="collaboration", payload={"collaboration": one.id}, key=one.id)
        begun = await runtime.work.start(new)
        assert (begun.title, begun.session, begun.payload) == (
            "Name the garden", one.conversation, {"collaboration": one.id},
        )  # fmt: skip
        while not model.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        paused = await runtime.work.pause(one.id)
        assert paused.state == "paused"
        assert (await runtime.collaborations.get(one.id)).status == "cancelled"
        gate.set()
        await runtime.work.resume(one.id)
        whole = await ended(runtime, one.id)
        assert whole.state == "completed" and whole.result.startswith("All right.")
        assert "agent" in whole.origins


async def test_a_collaboration_that_failed_is_resumed_by_a_retry(
    open_runtime: OpenRuntime,
) -> None:
    model = ScriptedModel(otherwise="")
    async with open_runtime(model) as runtime:
        goal = NewCollaboration("Name the garden", pattern="brainstorm")
        one = await runtime.collaborations.start(goal)
        new = NewWork(kind="collaboration", payload={"collaboration": one.id})
        begun = await runtime.work.start(new)
        failed = await ended(runtime, begun.id)
        assert (failed.state, failed.attempts) == ("failed", 1)
        model._otherwise = "All right."  # it answers now
        await runtime.work.retry(begun.id)
        assert (await ended(runtime, begun.id)).state == "completed"


async def test_it_goes_with_the_conversation_that_it_belongs_to(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel(otherwise=f"It is {SECRET}.")) as runtime:
        goal = NewCollaboration(f"What is {SECRET}?", pattern="brainstorm")
        one = await runtime.collaborations.start(goal)
        new = NewWork(kind="collaboration", payload={"collaboration": one.id})
        begun = await runtime.work.start(new)
        await ended(runtime, begun.id)
        assert one.conversation and SECRET in str(await rows(runtime, begun.id))
        await runtime.ledger.purge(Purge(sessions=(one.conversation,), actor="person"))
        runtime._automation.work.forget()
        assert SECRET not in str(await rows(runtime, begun.id))
        assert await runtime.work.list() == []


async def test_what_is_erased_is_not_told_from_memory(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        memory = await runtime.memory.add(NewMemory(f"The code is {SECRET}"))
        begun = await runtime.work.start(
            NewWork(kind="verify", title=f"Verify. The code is {SECRET}")
        )
        await ended(runtime, begun.id)
        plan = await runtime.eraser.plan([memory.id])
        await runtime.eraser.erase([memory.id], expected=plan.digest)
        assert SECRET not in str(await rows(runtime, begun.id))
        with pytest.raises(NotFound):
            await runtime.work.get(begun.id)
        assert await runtime.work.list() == []


async def test_it_is_not_taken_along_to_another_home(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        await done(runtime, "verify")
        await runtime.user_data.export(str(tmp_path / "me.zip"))
        plan = await runtime.user_data.plan_import(str(tmp_path / "me.zip"), trust=True)
        assert "work.state" not in plan.notes


async def test_a_paused_import_of_a_file_that_went_is_told(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        export = many(tmp_path / "conversations.json")
        payload = {"path": str(export), "source": "chatgpt", "read": False}
        begun = await runtime.work.start_here(NewWork(kind="import", payload=payload))
        await kept_first(runtime, begun.id)
        await runtime.work.pause(begun.id)
        export.unlink()
        await runtime.work.resume(begun.id)
        failed = await in_state(runtime.work, begun.id, "failed")  # type: ignore[arg-type]
        assert str(export) in failed.error
