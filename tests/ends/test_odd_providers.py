"""Whatever a provider answers: one end, nothing shown is lost, and an exit code that tells.

Real HTTP on loopback and litellm; through the runtime, the command line and the API.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes import HashEmbedder
from in_process import open_in_process
from odd_provider import SCENARIOS, Provider, Scenario, home_of, provider

from skill_agent.events import (
    Event,
    Notice,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.host.runtime import Runtime
from skill_agent.values import TurnRequest

EACH = [
    pytest.param(name, one, id=name, marks=pytest.mark.deep if number % 2 else ())
    for number, (name, one) in enumerate(SCENARIOS.items())
]
"""Half of them each time; the deep lane tries all."""


@pytest.fixture
async def odd() -> AsyncIterator[Provider]:
    async with provider(SCENARIOS) as served:
        yield served


@pytest.fixture
async def runtime(odd: Provider, tmp_path: Path) -> AsyncIterator[Runtime]:
    root = home_of(tmp_path / "home", odd.url)
    async with open_in_process(root, create=True, embedder=HashEmbedder()) as opened:
        yield opened


@pytest.mark.parametrize(("name", "scenario"), EACH)
async def test_a_turn_has_one_end_and_keeps_what_was_shown(
    runtime: Runtime, odd: Provider, name: str, scenario: Scenario
) -> None:
    request = TurnRequest(
        "Where does it stand?", model=f"openai/{name}", options={"max_tokens": 2_000}
    )
    events = [one async for one in runtime.turns.ask(request)]
    end = one_end(events)
    check_calls(events)
    assert end.text == "".join(one.text for one in events if isinstance(one, TextDelta))
    assert all("Hm." not in one.text for one in events if isinstance(one, TextDelta))
    check_end(end, events, scenario)
    assert odd.counts[name] <= scenario.calls + 2 * isinstance(end, TurnFailed)
    messages = await runtime.ledger.turn(end.turn)
    replies = [one.content for one in messages if one.role == "assistant" and not one.tool_calls]
    assert replies == ([end.text] if end.text.strip() else [])
    (state,) = await runtime.turns.of_session(end.session)
    assert state.state == ("finished" if isinstance(end, TurnFinished) else "failed")
    assert (await runtime.memory.verify()).problems == ()


def one_end(events: list[Event]) -> TurnFinished | TurnFailed:
    ends = [one for one in events if isinstance(one, TurnFinished | TurnFailed)]
    assert len(ends) == 1 and events[-1] is ends[0]
    return ends[0]


def check_calls(events: list[Event]) -> None:
    started: list[str] = []
    finished: list[str] = []
    for event in events:
        match event:
            case ToolStarted():
                started.append(event.call)
            case ToolFinished():
                assert event.call in started
                finished.append(event.call)
            case _:
                pass
    assert sorted(started) == sorted(finished) and len(set(started)) == len(started)


def check_end(end: TurnFinished | TurnFailed, events: list[Event], scenario: Scenario) -> None:
    told = "\n".join(
        one.text for one in events if isinstance(one, Notice) and one.level == "warning"
    )
    if scenario.end == "noticed":
        assert isinstance(end, TurnFailed) or told
    elif scenario.end == "failed":
        assert isinstance(end, TurnFailed), end
        assert scenario.said in f"{end.message} {end.hint}"
        assert "unexpected" not in end.message and "Error:" not in end.message, end.message
    else:
        assert isinstance(end, TurnFinished), end
        assert (scenario.end == "told") == bool(told), told
        assert scenario.said in told
    if scenario.text is not None:
        assert end.text == scenario.text
    if "reasoning" in str(scenario.said):
        assert any(isinstance(one, ThoughtDelta) for one in events)


# -- the command line ----------------------------------------------------------------------------

AT_THE_COMMAND_LINE = (
    "split-emoji", "for-ever", "nothing", "a-web-page", "reset-after-words",
)  # fmt: skip
"""One of each end; the deep lane tries all."""
COMMANDS = [
    pytest.param(name, one, id=name)
    if name in AT_THE_COMMAND_LINE
    else pytest.param(name, one, id=name, marks=pytest.mark.deep)
    for name, one in SCENARIOS.items()
]


@pytest.mark.deep
@pytest.mark.parametrize(("name", "scenario"), COMMANDS)
async def test_a_script_learns_how_it_went(
    odd: Provider, tmp_path: Path, name: str, scenario: Scenario
) -> None:
    root = home_of(tmp_path / "home", odd.url)
    code, out, err = await ska(
        root, "ask", "-m", f"openai/{name}", "-o", "max_tokens=2000", "Where does it stand?"
    )
    assert "Traceback" not in err and "Warning:" not in err, err
    assert scenario.end == "noticed" or (code != 0) == (scenario.end == "failed"), (code, err)
    if scenario.text:
        assert " ".join(scenario.text.split()) in " ".join(out.split())
    if scenario.end != "whole":
        assert scenario.said in err and err.strip()
    _, listed, _ = await ska(root, "sessions", "list", "--json")
    (session,) = json.loads(listed)
    _, kept, _ = await ska(root, "sessions", "show", session["id"])
    assert not scenario.text or scenario.text.split(". ")[-1].strip() in kept


async def ska(root: Path, *arguments: str) -> tuple[int, str, str]:
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "skill_agent.cli", "--home", str(root), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()
