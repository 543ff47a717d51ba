"""`ska acp` as an editor starts it: a process, its pipes, its end; and a host that dies."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from acp.client.connection import ClientSideConnection
from acp.exceptions import RequestError
from acp.helpers import text_block
from acp.interfaces import Client
from an_editor import WITHIN_S, Editor, editing
from fakes import StepClock
from hosts import attached, dying, serving

from skill_agent.files.home import Home
from skill_agent.models.scripted import Gate, ScriptedModel

SKA = [sys.executable, "-m", "skill_agent.cli"]


@asynccontextmanager
async def ska_acp(
    home: Home, errors: Path, *arguments: str
) -> AsyncIterator["asyncio.subprocess.Process"]:
    """The command, with its stderr in a file."""
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *SKA, "--home", str(home.root), "acp", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=file,
            limit=1 << 26,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def editor_of(process: "asyncio.subprocess.Process") -> tuple[ClientSideConnection, Editor]:
    editor = Editor()
    conn = ClientSideConnection(
        cast(Client, editor), process.stdin, process.stdout, use_unstable_protocol=True
    )
    return conn, editor


async def ended(process: "asyncio.subprocess.Process") -> tuple[int, float]:
    """Its exit code, and how long it took from now on."""
    begun = time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        code = await process.wait()
    return code, time.monotonic() - begun


async def test_no_home(home: Home, tmp_path: Path) -> None:
    async with ska_acp(home, tmp_path / "errors") as process:
        out, _ = await process.communicate(b"")
        assert process.returncode == 2 and out == b""
    said = (tmp_path / "errors").read_text()
    assert "there is no skill-agent home" in said and "ska init" in said


async def test_a_window_of_a_home_that_is_open(
    home: Home, clock: StepClock, tmp_path: Path
) -> None:
    never = asyncio.Event()
    model = ScriptedModel(["Good morning.", ["One ", "two ", Gate(never)]])
    async with serving(home, model, clock) as runtime:
        async with ska_acp(home, tmp_path / "errors", "--agent", "luke") as process:
            conn, editor = editor_of(process)
            hello = await conn.initialize(1)
            assert hello.agent_info and hello.agent_info.name == "skill-agent"
            session = (await conn.new_session(cwd=str(tmp_path))).session_id
            done = await conn.prompt(session_id=session, prompt=[text_block("Hello")])
            assert done.stop_reason == "end_turn" and editor.said() == "Good morning."
            prompt = asyncio.create_task(
                conn.prompt(session_id=session, prompt=[text_block("Count")])
            )
            await editor.until(lambda: "One" in editor.said())
            process.send_signal(signal.SIGTERM)
            code, _ = await ended(process)
            assert code == 128 + signal.SIGTERM
            with pytest.raises((ConnectionError, RequestError)):
                await prompt
            await conn.close()
        running = [one for one in await runtime.turns.list() if one.state == "running"]
        assert running == []
        (kept,) = await runtime.conversations.list()
        assert kept.id == session and kept.agent == "luke"
        assert (home.editor_folders / session).read_text() == f"{tmp_path}\n"


@pytest.mark.deep
async def test_it_holds_the_home_itself_and_prints_nothing_else(
    home: Home, clock: StepClock, tmp_path: Path
) -> None:
    async with serving(home, ScriptedModel(), clock):
        pass  # a home with everything in it
    async with ska_acp(home, tmp_path / "errors") as process:
        assert process.stdin and process.stdout

        async def ask(request: int, method: str, params: dict[str, Any]) -> Any:
            assert process.stdin and process.stdout
            message = {"jsonrpc": "2.0", "id": request, "method": method, "params": params}
            process.stdin.write(b"not json\n" + json.dumps(message).encode() + b"\n")
            async with asyncio.timeout(WITHIN_S):
                while True:
                    answer = json.loads(await process.stdout.readline())
                    if answer.get("id") == request:
                        return answer

        assert (await ask(1, "initialize", {"protocolVersion": 1}))["result"]
        new = await ask(2, "session/new", {"cwd": "/", "mcpServers": []})
        session = new["result"]["sessionId"]
        prompt = {"sessionId": session, "prompt": [{"type": "text", "text": "Hello"}]}
        failed = await ask(3, "session/prompt", prompt)
        assert "error" in failed and "ska" in failed["error"]["message"]  # no model is there
        process.stdin.close()
        rest = await process.stdout.read()
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
        code, _ = await ended(process)
        assert code == 0
    assert "Traceback" not in (tmp_path / "errors").read_text()


@pytest.mark.deep
async def test_the_end_of_input_ends_it_soon(home: Home, clock: StepClock, tmp_path: Path) -> None:
    never = asyncio.Event()
    async with serving(home, ScriptedModel([["One ", "two ", Gate(never)]]), clock) as runtime:
        async with ska_acp(home, tmp_path / "errors") as process:
            conn, editor = editor_of(process)
            await conn.initialize(1)
            session = (await conn.new_session(cwd="/")).session_id
            prompt = asyncio.create_task(
                conn.prompt(session_id=session, prompt=[text_block("Count")])
            )
            await editor.until(lambda: "One" in editor.said())
            assert process.stdin
            process.stdin.close()
            code, seconds = await ended(process)
            assert code == 0
            print(f"ended within {seconds:.2f} s")
            with pytest.raises((ConnectionError, RequestError)):
                await prompt
            await conn.close()
        (state,) = await runtime.turns.list()
        assert state.reason == "cancelled"


@pytest.mark.deep
async def test_the_host_dies_in_the_midst_of_a_prompt(home: Home, clock: StepClock) -> None:
    async with (
        dying(home, "middle"),
        attached(home, clock) as window,
        editing(window, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        with pytest.raises(RequestError, match="before the reply was whole"):
            await conn.prompt(session_id=session, prompt=[text_block("Tell me a story")])
        assert "It was a dark and stormy night.".startswith(editor.said())
        assert "went away" in editor.thought()
        seen = len(editor.updates)
        done = await conn.prompt(session_id=session, prompt=[text_block("Go on")])
        assert done.stop_reason == "end_turn"
        words = [one for _, one in editor.updates[seen:]]
        assert "taken over" in "".join(
            one.content.text for one in words if one.session_update == "agent_message_chunk"
        )
        (kept,) = await window.conversations.list()
        assert kept.id == session


@pytest.mark.deep
async def test_the_host_dies_before_the_message_is_saved(home: Home, clock: StepClock) -> None:
    async with (
        dying(home, "before"),
        attached(home, clock) as window,
        editing(window, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        done = await conn.prompt(session_id=session, prompt=[text_block("Hello")])
        assert done.stop_reason == "end_turn" and editor.said() == "taken over"
        (kept,) = await window.conversations.list()
        assert kept.id == session


@pytest.mark.deep
def test_it_needs_pipes(home: Home, tmp_path: Path) -> None:
    import subprocess

    from skill_agent.cli.opening.home_files import init_home

    init_home(home)
    file = tmp_path / "input"
    file.write_bytes(b"{}\n")
    with file.open("rb") as given:
        done = subprocess.run(
            [*SKA, "--home", str(home.root), "acp"],
            stdin=given, capture_output=True, timeout=WITHIN_S, env={**os.environ},
        )  # fmt: skip
    assert done.returncode == 2 and b"must be pipes" in done.stderr and done.stdout == b""
