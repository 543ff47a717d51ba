"""Credentials a person tells or shows never reach a provider's server unless that is allowed, and
lie nowhere but in the ledger."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import OpenRuntime
from http_fake import Call, Fail, Provider, Say, provider

from skill_agent.events import ApprovalAnswered, ApprovalAsked, Choice, Event, Notice
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.fallback import FallbackModel
from skill_agent.models.providers import remote_profile
from skill_agent.models.remote import RemoteModel
from skill_agent.values import Attachment, MemoryChange, ModelInfo, TurnRequest

NAME = "openai/gpt-4o-mini"
KEY = "ghp_" + "q7Rw" * 9
MASK = "[GitHub token …q7Rw]"
PASSWORD = "Gartenzaun77"


def remote(server: Provider, *, local: bool = False) -> RemoteModel:
    info = ModelInfo(name=NAME, provider="openai", local=local, profile=remote_profile(NAME))
    return RemoteModel(info, timeout_s=60, base=server.base)


async def say(runtime: Runtime, request: TurnRequest, choice: Choice | None = None) -> list[Event]:
    """All that happens in a turn; with a choice somebody is there, who makes it."""
    events: list[Event] = []
    async for event in runtime.turns.ask(request):
        events.append(event)
        if isinstance(event, ApprovalAsked) and choice is not None:
            assert await runtime.approvals.answer(event.approval, choice)
    return events


def alone(text: str, **more: object) -> TurnRequest:
    return TurnRequest(text, interactive=False, **more)  # type: ignore[arg-type]


def sent(server: Provider) -> str:
    return json.dumps(server.bodies, ensure_ascii=False)


def notices(events: list[Event]) -> str:
    return "\n".join(one.text for one in events if isinstance(one, Notice))


def outside_the_ledger(home: Home) -> dict[Path, bytes]:
    """Every file of the home that is not the ledger's own."""
    files = (one for one in home.root.rglob("*") if one.is_file())
    return {one: one.read_bytes() for one in files if not one.name.startswith("ledger")}


async def test_where_nobody_can_be_asked_a_mask_is_sent(
    open_runtime: OpenRuntime, home: Home
) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            events = await say(
                runtime, alone(f"Why does {KEY} not work? The password is {PASSWORD}")
            )
            again = await say(runtime, alone("And now?", session="latest"))
            (user, *_) = await runtime.conversations.messages(
                (await runtime.conversations.find("latest")).id
            )
            assert KEY in user.content, "the ledger keeps what was said"
            (session,) = await runtime.conversations.list()
            assert KEY[:10] not in session.title
            found = await runtime.memory.search("GitHub token does not work")
            assert KEY not in repr(found)
            await runtime.memory.settle()
    assert MASK in sent(server)
    assert KEY not in sent(server) and PASSWORD not in sent(server)
    assert MASK in notices(events) and NAME in notices(events)
    assert not any(isinstance(one, ApprovalAsked) for one in events + again)
    first, second = (body["messages"] for body in server.bodies)
    assert second[: len(first)] == first, "the same text has the same mask"
    for file, data in outside_the_ledger(home).items():
        assert KEY.encode() not in data and PASSWORD.encode() not in data, file


async def test_a_person_is_asked_and_may_say_no(open_runtime: OpenRuntime) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            events = await say(runtime, TurnRequest(f"Check {KEY}"), "deny")
    (asked,) = [one for one in events if isinstance(one, ApprovalAsked)]
    assert (asked.tool, asked.rule) == ("send_secret", "kyra send_secret:openai")
    assert asked.arguments == {"kinds": ["GitHub token"], "masked": [MASK], "model": NAME}
    assert KEY not in repr(asked) and KEY not in sent(server)
    assert MASK in notices(events)


async def test_once_is_for_this_message(open_runtime: OpenRuntime) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            await say(runtime, TurnRequest(f"Check {KEY}"), "once")
            assert KEY in sent(server)
            events = await say(runtime, TurnRequest("And now?", session="latest"), "deny")
            assert await runtime.approvals.rules() == []
    assert KEY not in json.dumps(server.bodies[-1])
    assert not any(isinstance(one, ApprovalAsked | ApprovalAnswered) for one in events)


async def test_always_is_for_this_provider(open_runtime: OpenRuntime) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            await say(runtime, TurnRequest(f"Check {KEY}"), "always")
            assert await runtime.approvals.rules() == ["kyra send_secret:openai"]
            events = await say(runtime, alone(f"The password is {PASSWORD}", session="latest"))
    last = json.dumps(server.bodies[-1])
    assert KEY in last and PASSWORD in last
    assert not any(isinstance(one, ApprovalAsked) for one in events)


async def test_a_fallback_to_another_provider_reads_masks(open_runtime: OpenRuntime) -> None:
    with provider(Fail(503)) as down, provider(Say()) as other:
        info = ModelInfo(name="mistral/m", provider="mistral", profile=remote_profile(NAME))
        second = RemoteModel(info, timeout_s=60, base=other.base)
        async with open_runtime(FallbackModel([remote(down), second])) as runtime:
            await say(runtime, TurnRequest(f"Check {KEY}"), "once")
    assert KEY in sent(down)
    assert KEY not in sent(other) and MASK in sent(other)


async def test_attachments_are_looked_at_too(open_runtime: OpenRuntime) -> None:
    shown = Attachment(f"url = ftp://me:{PASSWORD}@example.org\n", origin="file", name=".env")
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            events = await say(runtime, TurnRequest("What is this?", attachments=(shown,)), "deny")
    assert [one.tool for one in events if isinstance(one, ApprovalAsked)] == ["send_secret"]
    assert PASSWORD not in sent(server)


async def test_a_model_on_this_machine_reads_it_plain(open_runtime: OpenRuntime) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server, local=True)) as runtime:
            events = await say(runtime, TurnRequest(f"Check {KEY}"), "deny")
    assert KEY in sent(server)
    assert not any(isinstance(one, ApprovalAsked) for one in events)


async def test_what_is_remembered_has_a_mask_and_the_person_is_told(
    open_runtime: OpenRuntime, home: Home
) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            told = f"Remember that {KEY} opens the garden repository"
            events = await say(runtime, alone(told))
            await say(runtime, alone(told))
            (memory,) = await runtime.memory.list()
            assert memory.content == f"{MASK} opens the garden repository"
            assert f"ska memory forget {memory.id} --purge" in notices(events)
            await say(runtime, alone("What opens the garden repository?"))
            plan = await runtime.eraser.plan([memory.id])
            await runtime.eraser.erase([memory.id], expected=plan.digest)
    assert KEY not in sent(server)
    files = (one for one in home.root.rglob("*") if one.is_file())
    assert not [one for one in files if KEY.encode() in one.read_bytes()], "also the conversation"


@pytest.mark.parametrize("door", ["add", "correct", "keep", "import", "restore"])
async def test_no_door_of_memory_lets_one_in(open_runtime: OpenRuntime, door: str) -> None:
    text = f"The deploy password is {PASSWORD}"
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            book = runtime.memory
            match door:
                case "add":
                    await book.add(text)
                case "correct":
                    await book.correct((await book.add("The deploy is on Monday")).id, text)
                case "keep":
                    memory = await book.add("The deploy is on Monday")
                    await book.keep([replace(memory, id=new_id(), content=text)])
                case "import":
                    await book.import_rows([{"content": text}])
                case _:
                    memory = await book.add(text)
                    await book.forget(memory.id, reason=text)
                    await book.restore(memory.id)
            everything = [await book.list(), [await book.log(one.id) for one in await book.list()]]
    assert PASSWORD not in repr(everything) and "[password]" in repr(everything)


async def test_a_tools_result_goes_back_masked_and_unasked(open_runtime: OpenRuntime) -> None:
    wish = Call("remember", json.dumps({"content": f"The token is {KEY}"}))
    with provider(wish, Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            events = await say(runtime, alone("Keep it."))
            (memory,) = await runtime.memory.list()
    assert KEY not in sent(server) and KEY not in memory.content
    assert not any(isinstance(one, ApprovalAsked) for one in events)


async def test_a_preview_asks_nobody(open_runtime: OpenRuntime) -> None:
    with provider(Say()) as server:
        async with open_runtime(remote(server)) as runtime:
            call = await runtime.turns.preview(TurnRequest(f"Check {KEY}"))
    assert KEY not in repr(call) and server.bodies == []


async def test_what_was_kept_before_enters_no_prompt_and_no_other_home(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    """As older versions kept it: whole, in the ledger."""
    with provider(Say()) as server:
        async with open_runtime(remote(server, local=True)) as runtime:
            kept = await runtime.memory.add("The deploy token is lost")
            old = replace(kept, id=new_id(), content=f"The deploy token is {KEY}")
            await runtime.ledger.write_memories(
                [MemoryChange(kind="memory.created", memory=old, actor="person")]
            )
            await runtime.memory.settle()
            await say(runtime, alone("Which deploy token is it?"))
            masked, whole = tmp_path / "masked.zip", tmp_path / "whole.zip"
            assert (await runtime.user_data.export(str(masked))).masked == 1
            assert (await runtime.user_data.export(str(whole), secrets=True)).masked == 0
            plan = await runtime.user_data.plan_purge()
            await runtime.user_data.erase(expected=plan.digest)
            await runtime.user_data.import_(str(whole))
            contents = [one.content for one in await runtime.memory.list()]
            assert f"The deploy token is {MASK}" in contents and KEY not in repr(contents)
    assert MASK in sent(server) and KEY not in sent(server)
