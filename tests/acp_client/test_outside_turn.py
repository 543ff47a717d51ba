"""Turns that an outside program answers, from the message to the ledger."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from outside_home import OutsideHome, gone, runs, said, the, those

from skill_agent.access.confined import Confined
from skill_agent.errors import Forbidden
from skill_agent.events import (
    DiffShown,
    MemoryRecalled,
    MemorySaved,
    Notice,
    PlanTold,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.values import Image, NewTask, Requester, TurnRequest

STEPS = (
    "think hm | plan look,mend,test | say I look. | tool read notes.txt | diff a.py | cost 0.25 "
    "| say Done."
)
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)


async def test_all_it_does_becomes_events_and_is_kept(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, STEPS)
        end = the(events, TurnFinished)
        assert end.text == "I look.\n\nDone."
        assert "".join(one.text for one in those(events, TextDelta)) == end.text
        assert the(events, ThoughtDelta).text == "hm"
        plan = the(events, PlanTold)
        assert [(one.text, one.state) for one in plan.steps] == [
            ("look", "completed"),
            ("mend", "in_progress"),
            ("test", "pending"),
        ]
        started, finished = those(events, ToolStarted), those(events, ToolFinished)
        assert [one.tool for one in started] == ["read", "edit"]
        assert started[0].arguments == {"title": "notes.txt", "what": "notes.txt"}
        assert [one.call for one in started] == [one.call for one in finished]
        assert [(one.ok, one.result) for one in finished] == [
            (True, "done"),
            (True, "changed a.py"),
        ]
        diff = the(events, DiffShown)
        assert (diff.path, diff.before, diff.after) == ("a.py", "a\n", "b\n")
        assert diff.call == started[1].call
        used = end.usage
        assert (used.model, used.prompt_tokens, used.completion_tokens) == ("acp/scripted", 10, 5)
        assert (used.cached_tokens, used.cost_usd, used.priced) == (3, 0.25, True)
        kept = await runtime.ledger.messages(end.session)
        assert [(one.role, one.agent) for one in kept] == [
            ("user", "claude"),
            *[("assistant", "claude"), ("tool", "claude")] * 2,
            ("assistant", "claude"),
        ]
        assert kept[0].origins == ()
        assert kept[-1].origins == ("tool", "agent")
        (spent,) = (await runtime.figures.usage(by="agent")).rows
        assert (spent.id, spent.calls, spent.cost_usd) == ("claude", 1, 0.25)
        again = await said(runtime, "cost 0.30 | say Once more.", session=end.session)
        assert the(again, TurnFinished).usage.cost_usd == pytest.approx(0.05)


@pytest.mark.deep
async def test_what_it_costs_is_not_guessed(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        end = the(await said(runtime, "say Hello"), TurnFinished)
        assert (end.usage.cost_usd, end.usage.priced) == (0.0, False)


async def test_it_remembers(outside: OutsideHome) -> None:
    """Before its first words it is told who it is and what is known; later only what is new."""
    async with outside.opened() as runtime:
        async for _ in runtime.ask("remember that we ship on Thursdays", agent="kyra"):
            pass
        events = await said(runtime, "when do we ship on Thursdays?")
        assert the(events, MemoryRecalled).items
        first = outside.prompts[0]
        assert "You are Claude" in first
        assert "we ship on Thursdays" in first.partition("[End of what skill-agent says.]")[2]
        assert first.endswith("when do we ship on Thursdays?")
        session = the(events, TurnFinished).session
        kept = await said(runtime, "remember that I like tea", session=session)
        assert the(kept, MemorySaved).content == "I like tea"
        second = outside.prompts[1]
        assert "You are Claude" not in second
        assert "when do we ship" not in second
        await said(runtime, "say goodbye", session=session)
        assert outside.prompts[2].endswith("say goodbye")
        assert "ship on Thursdays" not in outside.prompts[2]
        found = await runtime.memory.search("tea")
        assert found[0].memory is not None
        assert found[0].memory.origins == ()


async def test_it_gets_our_memory_as_a_server_of_tools(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        await said(runtime, "say Hello")
        (asked,) = outside.asked("session/new")
        (server,) = asked["mcpServers"]
        assert server["name"] == "ska"
        assert server["command"] == sys.executable
        assert server["args"][-6:] == [
            "--home", str(runtime.home.root), "mcp", "serve", "--as", "claude",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "use_memory", "ends"),
    [
        (("chat", "memory"), True, None),
        (("chat", "read"), True, ["--as", "claude", "--read-only"]),
        (("chat", "read", "memory"), False, None),
    ],
)
async def test_for_a_key_it_reaches_no_more_than_the_key(
    outside: OutsideHome, scopes: tuple[str, ...], use_memory: bool, ends: list[str] | None
) -> None:
    """The program comes to our server as the person's own: what it reads there, the key is told."""
    async with outside.opened() as runtime:
        by = Requester(key="k", name="script", scopes=frozenset(scopes))
        request = TurnRequest("say Hello", agent="claude", use_memory=use_memory)
        end = [one async for one in Confined(runtime, by).turns.ask(request)][-1]
        (asked,) = outside.asked("session/new")
        assert [one["args"][-len(ends or ()) :] for one in asked["mcpServers"]] == (
            [ends] if ends else []
        )
        if ends and "--read-only" in ends:
            await said(runtime, "say Hello", session=end.session)
            args = outside.asked("session/new")[-1]["mcpServers"][0]["args"]
            assert args[-1] == "claude", "the person's own turn has all of it again"


async def test_it_has_no_folder_unless_one_is_named(outside: OutsideHome, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    async with outside.opened() as runtime:
        first = the(await said(runtime, "say Hello"), TurnFinished)
        private = Path(outside.asked("session/new")[0]["cwd"])
        assert private.is_relative_to(runtime.home.run)
        assert not any(private.iterdir())  # noqa: ASYNC240
        able = outside.asked("initialize")[0]["clientCapabilities"]
        assert able["terminal"] is False
        assert not any(able["fs"].values())
        refused = the(await said(runtime, "read x", session=first.session), TurnFinished)
        assert "no folder to work in" in refused.text
        await said(runtime, "say Here?", session=first.session, folder=str(work))
        assert outside.asked("session/new")[1]["cwd"] == str(work)
        assert outside.asked("initialize")[1]["clientCapabilities"]["terminal"] is True
        await said(runtime, "say Still here?", session=first.session)
        assert len(outside.asked("session/new")) == 2
        told = outside.prompts[2]
        assert "You are Claude" in told, "another session knows nothing"
        assert "the person: " in told
        assert "say Hello" in told
    assert not private.exists()  # noqa: ASYNC240


async def test_pictures_go_along(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        await said(runtime, "say Nice", images=(Image(media_type="image/png", data=PNG),))
        blocks = outside.asked("session/prompt")[0]["prompt"]
        assert [one["type"] for one in blocks] == ["text", "image"]
        assert blocks[1]["mimeType"] == "image/png"


async def test_a_secret_is_masked_unless_the_person_lets_it_go(outside: OutsideHome) -> None:
    secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345"
    async with outside.opened() as runtime:
        await said(runtime, f"say {secret}", interactive=False)
        assert secret not in json.dumps(outside.sent)
        await said(runtime, f"say {secret}", answer="once")
        assert secret in outside.prompts[1]


async def test_nothing_of_it_drives_a_terminal(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        text = the(await said(runtime, r"say \x1b[31mred\x07 \u202eturned"), TurnFinished).text
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
        assert "red" in text


async def test_two_talks_are_two_programs(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        one, two = await asyncio.gather(said(runtime, "say One"), said(runtime, "say Two"))
        assert the(one, TurnFinished).text == "One"
        assert the(two, TurnFinished).text == "Two"
        assert len(set(outside.groups)) == 2
        session = the(one, TurnFinished).session
        await said(runtime, "say Again", session=session)
        assert len(outside.groups) == 2, "it is kept while it is talked to"
        assert all(map(runs, outside.groups))
    for group in outside.groups:
        await gone(group)


async def test_what_others_said_meanwhile_is_told(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        session = the(await said(runtime, "say Hello"), TurnFinished).session
        async for _ in runtime.ask("@kyra who are you?", session=session):
            pass
        await said(runtime, "@claude say And now?", session=session)
        told = outside.prompts[1]
        assert "kyra: [Kyra" in told
        assert "I am Kyra." in told
        assert "the person: who are you?" in told
        assert "say Hello" not in told


@pytest.mark.parametrize("way", ["resume", pytest.param("load", marks=pytest.mark.deep)])
async def test_a_session_is_gone_on_with_after_a_restart(outside: OutsideHome, way: str) -> None:
    async with outside.opened(way) as runtime:
        end = the(await said(runtime, "say Hello"), TurnFinished)
    async with outside.opened(way) as runtime:
        again = the(await said(runtime, "say Again", session=end.session), TurnFinished)
        assert again.text == "Again", "what it tells of the past is not said anew"
        (asked,) = outside.asked(f"session/{way}")
        assert asked["sessionId"] == outside.asked("session/prompt")[0]["sessionId"]
        assert len(outside.asked("session/new")) == 1
        assert "You are Claude" not in outside.prompts[1]


async def test_a_program_that_forgets_is_told_what_was_said(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        end = the(await said(runtime, "say Hello"), TurnFinished)
    async with outside.opened() as runtime:
        await said(runtime, "say Again", session=end.session)
        told = outside.prompts[1]
        assert "You are Claude" in told
        assert "say Hello" in told
        assert "you: Hello" in told
        assert told.endswith("say Again")


async def test_one_nobody_talks_to_is_ended(outside: OutsideHome) -> None:
    async with outside.opened(settings="idle_minutes = 0") as runtime:
        end = the(await said(runtime, "say Hello"), TurnFinished)
        await gone(outside.groups[0])
        assert the(await said(runtime, "say Back", session=end.session), TurnFinished).text


@pytest.mark.deep
async def test_it_says_how_it_begins(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        notices = [one.text for one in those(await said(runtime, "say Hello"), Notice)]
        assert any("no folder to work in" in one and "mode careful" in one for one in notices)


async def test_a_key_may_not_name_a_folder(outside: OutsideHome, tmp_path: Path) -> None:
    async with outside.opened() as runtime:
        for scopes, refused in ((("talk", "memory", "read"), True), (("admin",), False)):
            asker = Requester(key="k", name="script", scopes=frozenset(scopes))
            request = TurnRequest("say Hello", agent="claude", folder=str(tmp_path))
            if refused:
                with pytest.raises(Forbidden):
                    await Confined(runtime, asker).turns.submit(request)
            else:
                assert await Confined(runtime, asker).turns.submit(request)


async def test_a_key_goes_on_with_no_folder_of_the_persons(
    outside: OutsideHome, tmp_path: Path
) -> None:
    """It would answer for itself what the program asks to do there."""
    async with outside.opened() as runtime:
        end = the(await said(runtime, "say Hello", folder=str(tmp_path)), TurnFinished)
        asker = Requester(key="k", name="script", scopes=frozenset({"chat", "memory", "read"}))
        request = TurnRequest("say Mine", agent="claude", session=end.session)
        failed = [one async for one in Confined(runtime, asker).turns.ask(request)][-1]
        assert isinstance(failed, TurnFailed) and '"admin"' in failed.message
        assert len(outside.prompts) == 1
        anew = [
            one async for one in Confined(runtime, asker).turns.ask(replace(request, session=None))
        ]
        assert isinstance(anew[-1], TurnFinished)
        assert the(await said(runtime, "say Mine", session=end.session), TurnFinished)
        assert outside.asked("session/new")[-1]["cwd"] != str(tmp_path)


async def test_a_colleague_gives_it_a_task(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        done = await runtime.tasks.delegate(
            NewTask(assigned_to="claude", instructions="say Three faults.")
        )
        while not (done := await runtime.tasks.get(done.id)).ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (done.status, done.error) == ("completed", "")
        assert done.result
        assert "say Three faults." in outside.prompts[0]


@pytest.mark.deep
async def test_a_long_talk_goes_on(outside: OutsideHome) -> None:
    """No model is there that could sum it up."""
    async with outside.opened(more="[memory]\nhistory_messages = 2\n") as runtime:
        session = None
        for number in range(4):
            end = the(await said(runtime, f"say Number {number}", session=session), TurnFinished)
            assert end.text == f"Number {number}"
            session = end.session


@pytest.mark.deep
async def test_a_talk_that_is_erased_leaves_nothing(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        end = the(await said(runtime, "say Hello"), TurnFinished)
        name = outside.asked("session/prompt")[0]["sessionId"]
        plan = await runtime.user_data.plan_purge()
        await runtime.user_data.erase(expected=plan.digest)
        rows = await runtime.ledger.log(kinds=("outside.session",))
        assert name not in json.dumps([one.new for one in rows], default=str)
        assert end


async def test_what_was_erased_no_program_goes_on_knowing(outside: OutsideHome) -> None:
    """Neither the one that is held nor, after a restart, its session from before."""
    async with outside.opened("resume") as runtime:
        first = the(await said(runtime, "say Hello"), TurnFinished)
        held = the(await said(runtime, "say Hello", session=first.session), TurnFinished)
        kept = await runtime.memory.add("The locker code is quokka-4711")
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
        await gone(outside.groups[0])
        assert the(await said(runtime, "say Anew", session=held.session), TurnFinished).text
        assert len(outside.asked("session/new")) == 2, "told anew what is still known"
        kept = await runtime.memory.add("The gate code is heron-9021")
        plan = await runtime.eraser.plan([kept.id])
        await runtime.eraser.erase([kept.id], expected=plan.digest)
    async with outside.opened("resume") as runtime:
        await said(runtime, "say Again", session=held.session)
        await said(runtime, "say Again", session=held.session)
        assert len(outside.asked("session/new")) == 3
    async with outside.opened("resume") as runtime:
        await said(runtime, "say Again", session=held.session)
        assert len(outside.asked("session/resume")) == 1, "what came after it is gone on with"


async def test_a_talk_with_a_program_stays_its_own(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "hello")
        session, code = events[0].session, "please review my code and find the bug in this function"
        others = [one async for one in runtime.ask(code, session=session)]
        assert others[-1].agent == "claude", "no model here takes the program's work from it"
        named = [one async for one in runtime.ask(f"@luke {code}", session=session)]
        assert named[-1].agent == "luke"
