"""What goes wrong with an outside program: one clear end each, and nothing runs on."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from outside_home import OutsideHome, gone, runs, said, the, those

from skill_agent.events import (
    ApprovalAsked,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.values import TurnRequest

SECRET = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345"


async def prompted(outside: OutsideHome) -> None:
    while not outside.log.exists() or not outside.asked("session/prompt"):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("way", "told", "hint"),
    [
        ("broken", "it ended with exit code 3: no config", "acp-scripted.log"),
        ("login", "scripted is not logged in", "log in with the program"),
        pytest.param("version", "speaks version 7", "", marks=pytest.mark.deep),
        ("mute", "did not answer initialize within 0.5 s", "acp.start_timeout_s"),
        pytest.param(
            "talker", "does not speak the Agent Client Protocol", "", marks=pytest.mark.deep
        ),
    ],
)
async def test_it_does_not_begin(outside: OutsideHome, way: str, told: str, hint: str) -> None:
    settings = "start_timeout_s = 0.5" if way == "mute" else ""
    async with outside.opened(way, settings=settings) as runtime:
        end = the(await said(runtime, "say Hello"), TurnFailed)
        assert end.reason == "model_unavailable"
        assert told in end.message
        assert hint in end.hint
        if way != "broken":
            await gone(outside.groups[0])


async def test_a_program_that_is_not_here(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        agents = runtime.home.agents
        agents.write_text(agents.read_text().replace('acp = "scripted"', 'acp = "goose"'))
        end = the(await said(runtime, "say Hello"), TurnFailed)
        assert (end.reason, "no program 'goose'" in end.message) == ("model_unavailable", True)
        assert "installer" in end.hint
        agents.write_text(agents.read_text().replace('acp = "goose"', 'acp = "gose"'))
        end = the(await said(runtime, "say Hello"), TurnFailed)
        assert "goose?" in end.hint


async def test_it_breaks_off(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "say So far | open for something | spawn x | crash 4")
        end = the(events, TurnFailed)
        assert (end.reason, end.text) == ("model_failed", "So far")
        assert "exit code 4: something broke" in end.message
        assert SECRET not in end.message
        assert len(those(events, ToolStarted)) == len(those(events, ToolFinished)) == 1
        await gone(outside.groups[0])
        kept = await runtime.ledger.messages(end.session)
        assert (kept[-1].content, kept[-1].state) == ("So far", "partial")
        again = await said(runtime, "say Back", session=end.session)
        assert the(again, TurnFinished).text == "Back"
        log = (runtime.home.logs / "acp-scripted.log").read_text()
        assert "something broke" in log
        assert SECRET not in log


async def test_it_says_nothing_any_more(outside: OutsideHome) -> None:
    async with outside.opened(settings="silence_timeout_s = 0.3") as runtime:
        end = the(await said(runtime, "say So far | deaf x"), TurnFailed)
        assert "said nothing for 0.3 s" in end.message
        assert end.text == "So far"
        await gone(outside.groups[0])


@pytest.mark.deep
async def test_who_waits_for_a_person_is_not_silent(outside: OutsideHome) -> None:
    async with outside.opened(settings="silence_timeout_s = 0.2") as runtime:
        late: list[asyncio.TimerHandle] = []

        def seen(event: object) -> None:
            if isinstance(event, ApprovalAsked):
                answer = runtime.approvals.answer(event.approval, "once")
                loop = asyncio.get_running_loop()
                late.append(loop.call_later(1.0, lambda: asyncio.ensure_future(answer)))

        events = await said(runtime, "permit execute make", seen=seen)
        assert the(events, TurnFinished).text == "[yes]"


NOTHING = {
    "stop refuse": ("filtered", "refuses to answer"),
    "stop max": ("limit", "length limit"),
    "stop requests": ("limit", "limit of requests"),
    "plan nothing": ("model_failed", "gave no reply"),
}
CUT = {"refuse": "filtered", "max": "length", "requests": "limit"}


async def test_how_a_reply_ends_is_told(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        session = None
        for step, (reason, told) in NOTHING.items():
            end = the(await said(runtime, step, session=session), TurnFailed)
            assert end.reason == reason
            assert told in end.message
            session = end.session
        for step, finish in CUT.items():
            half = await said(runtime, f"say Half | stop {step}", session=session)
            assert the(half, TurnFinished).finish == finish
        assert len(outside.groups) == 1, "the program is as good as before"


@pytest.mark.deep
async def test_garbage_is_borne_for_a_while(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        end = the(await said(runtime, "garbage 20 | say Hello"), TurnFinished)
        assert end.text == "Hello"
        end = the(await said(runtime, "garbage 100 | wait x", session=end.session), TurnFailed)
        assert "does not speak the Agent Client Protocol" in end.message


@pytest.mark.deep
async def test_a_flood_is_cut(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "flood 21000 | wait x")
        end = the(events, TurnFinished)
        assert end.finish == "limit"
        assert len(those(events, TextDelta)) <= 20_001


@pytest.mark.deep
async def test_a_message_too_large_ends_it(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        end = the(await said(runtime, f"huge {17 << 20} | wait x"), TurnFailed)
        assert "more than 16 MB" in end.message
        end = the(await said(runtime, "huge 2000000 | wait x", session=end.session), TurnFinished)
        assert end.finish == "limit"


@pytest.mark.deep
async def test_errors_without_end_stop_nothing(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        assert the(await said(runtime, "errors 3000000 | say Hello"), TurnFinished).text == "Hello"
        assert (runtime.home.logs / "acp-scripted.log").stat().st_size < 1_100_000


async def test_it_is_stopped_at_once(outside: OutsideHome) -> None:
    """It is asked to stop, does, and is there for the next turn."""
    async with outside.opened() as runtime:
        stopping: list[asyncio.Task[bool]] = []

        def seen(event: object) -> None:
            if isinstance(event, TextDelta):
                stopping.append(asyncio.create_task(runtime.turns.cancel(event.turn)))

        end = the(await said(runtime, "say So far | wait x", seen=seen), TurnFailed)
        assert (end.reason, end.text) == ("cancelled", "So far")
        assert outside.asked("session/cancel")
        assert runs(outside.groups[0])
        assert the(await said(runtime, "say Back", session=end.session), TurnFinished)
        assert len(outside.groups) == 1


async def test_one_that_does_not_stop_is_ended(outside: OutsideHome) -> None:
    async with outside.opened("stubborn") as runtime:
        stopping: list[asyncio.Task[bool]] = []

        def seen(event: object) -> None:
            if isinstance(event, TextDelta):
                stopping.append(asyncio.create_task(runtime.turns.cancel(event.turn)))

        end = the(await said(runtime, "spawn x | say So far | deaf x", seen=seen), TurnFailed)
        assert end.reason == "cancelled"
        await gone(outside.groups[0])


async def test_a_question_ends_with_its_turn(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        stopping: list[asyncio.Task[bool]] = []

        def seen(event: object) -> None:
            if isinstance(event, ApprovalAsked):
                stopping.append(asyncio.create_task(runtime.turns.cancel(event.turn)))

        end = the(await said(runtime, "permit execute make | say Hm", seen=seen), TurnFailed)
        assert end.reason == "cancelled"
        assert await runtime.approvals.waiting() == []
        assert the(await said(runtime, "say Back", session=end.session), TurnFinished)
        assert len(outside.groups) == 1, "it was told that nobody answers any more"


async def test_nothing_is_left_when_the_home_is_closed(outside: OutsideHome) -> None:
    async with outside.opened("stubborn") as runtime:
        turn = await runtime.turns.submit(TurnRequest("spawn x | say A | deaf x", agent="claude"))
        await prompted(outside)
        assert turn
    await gone(outside.groups[0])


@pytest.mark.deep
async def test_nothing_is_left_of_a_host_that_was_killed(
    outside: OutsideHome, tmp_path: Path
) -> None:
    """Also of a program that minds neither the end of its input nor a polite request."""
    code = (
        "import asyncio, sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from outside_home import OutsideHome, said\n"
        "async def main():\n"
        f"    async with OutsideHome(Path({str(outside.root)!r})).opened('stubborn') as runtime:\n"
        "        await said(runtime, 'spawn x | say A | deaf x')\n"
        "asyncio.run(main())\n"
    )
    host = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", code])
    try:
        await prompted(outside)
        assert runs(outside.groups[0])
        host.send_signal(signal.SIGKILL)
        await asyncio.to_thread(host.wait)
        await gone(outside.groups[0])
    finally:
        host.kill()


def test_what_it_sees_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from skill_agent.programs.environment import environment

    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("MINE", "y")
    assert "OPENAI_API_KEY" not in environment()
    found = environment(["MINE"])
    assert (found["MINE"], found["XDG_CONFIG_HOME"]) == ("y", "/c")
    assert json.dumps(found)
