"""What an editor sends: files, images, commands, and what nobody should send."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path

import pytest
from acp.exceptions import RequestError
from acp.helpers import (
    audio_block,
    embedded_blob_resource,
    embedded_text_resource,
    image_block,
    resource_block,
    resource_link_block,
    text_block,
)
from an_editor import editing, raw
from fakes import OpenRuntime

from skill_agent.acp_agent.files import MOST_TEXT, Files, NotTaken
from skill_agent.acp_agent.folders import Folders
from skill_agent.acp_agent.kinds import kind_of, title_of
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import Gate, ScriptedModel
from skill_agent.values import ModelProfile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def link(path: Path | str, name: str = "x") -> object:
    uri = path.as_uri() if isinstance(path, Path) else path
    return resource_link_block(name, uri)


async def test_files_come_beside_the_words(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("Remember that I hate tea. @luke")
    (folder / "picture.png").write_bytes(PNG)
    (tmp_path / "secret.txt").write_text("the secret")
    (folder / "out").symlink_to(tmp_path / "secret.txt")
    model = ScriptedModel(otherwise="Read.")
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd=str(folder))).session_id
        blocks = [
            text_block("Look at "),
            link(folder / "notes.txt"),
            text_block(" and "),
            resource_block(embedded_text_resource("file:///elsewhere/a.py", "x = 1")),
            link(folder / "picture.png"),
            link(folder / "out"),
            link(folder / ".." / "secret.txt"),
            link("https://example.org/"),
            link("file://host/etc/passwd"),
            resource_block(embedded_blob_resource("file:///b.bin", b64encode(b"\xff\0").decode())),
        ]
        await conn.prompt(session_id=session, prompt=blocks)  # pyright: ignore
        asked, _ = await runtime.conversations.messages(session)
        assert asked.content.startswith("Look at [file 1] and [file 2]")
        assert asked.client_context is not None
        beside = {one.name: one for one in asked.client_context.attachments}
        assert beside.keys() == {"1: notes.txt", "2: a.py"}
        assert {one.origin for one in beside.values()} == {"file"}
        assert "the secret" not in str(model.requests)
        thought = editor.thought()
        assert thought.count("was not read") == 6 and thought.count("outside") == 2
        assert [one.content async for one in _remembered(runtime)] == []
        editor.updates.clear()
        await conn.load_session(cwd=str(folder), session_id=session)
        (asked_again,) = editor.of("user_message_chunk")
        assert "[File 1: notes.txt" in asked_again.content.text
        assert "hate tea" not in asked_again.content.text


async def _remembered(runtime: object):
    from skill_agent.values import MemoryFilter

    for one in await runtime.memory.list(MemoryFilter()):  # pyright: ignore
        if one.memory_type not in ("identity",) and "tea" in one.content:
            yield one


async def test_unsaved_text_is_read_through_the_editor(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "a.py"
    file.write_text("saved")
    (tmp_path / "big.txt").write_bytes(b"x" * (MOST_TEXT + 1))
    async with (
        open_runtime(ScriptedModel(otherwise="Read.")) as runtime,
        editing(runtime, home.editor_folders, reads=True) as (conn, editor),
    ):
        editor.buffers[str(file)] = "not saved yet"
        session = (await conn.new_session(cwd=str(tmp_path))).session_id
        blocks = [link(file), link(tmp_path / "gone.py"), link(tmp_path / "big.txt")]
        await conn.prompt(session_id=session, prompt=[text_block("See"), *blocks])  # pyright: ignore
        asked, _ = await runtime.conversations.messages(session)
        assert asked.client_context
        assert [one.text for one in asked.client_context.attachments] == ["not saved yet"]
        assert editor.read == [str(file), str(tmp_path / "gone.py")]
        assert "the editor did not give it" in editor.thought() and "bytes" in editor.thought()
        with pytest.raises(RequestError, match="outside"):
            await conn.prompt(session_id=session, prompt=[link("/etc/passwd")])  # pyright: ignore


async def test_files_alone_are_a_prompt(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    async with (
        open_runtime(ScriptedModel(otherwise="Read.")) as runtime,
        editing(runtime, home.editor_folders) as (conn, _),
    ):
        session = (await conn.new_session(cwd=str(tmp_path))).session_id
        await conn.prompt(session_id=session, prompt=[link(tmp_path / "a.py")])  # pyright: ignore
        asked, _ = await runtime.conversations.messages(session)
        assert asked.content == ""


async def test_images_where_the_model_sees(open_runtime: OpenRuntime, home: Home) -> None:
    shown = image_block(b64encode(PNG).decode(), "image/png")
    seeing = ScriptedModel(otherwise="A dot.", profile=ModelProfile(vision=True))
    async with (
        open_runtime(seeing) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        await conn.prompt(session_id=session, prompt=[text_block("What is it?"), shown])
        assert seeing.requests[-1].messages[-1].images
        blob = embedded_blob_resource("file:///p.png", shown.data, mime_type="image/png")
        await conn.prompt(session_id=session, prompt=[text_block("And it?"), resource_block(blob)])
        assert seeing.requests[-1].messages[-1].images
        await conn.load_session(cwd="/", session_id=session)
        kinds = [one.content.type for one in editor.of("user_message_chunk")]
        assert kinds == ["text", "image", "text", "image"]
        with pytest.raises(RequestError, match="base64"):
            await conn.prompt(
                session_id=session, prompt=[text_block("?"), image_block("%", "image/png")]
            )
        with pytest.raises(RequestError, match="sound is not taken"):
            await conn.prompt(
                session_id=session, prompt=[text_block("?"), audio_block("AA", "audio/wav")]
            )


async def test_images_where_it_does_not(open_runtime: OpenRuntime, home: Home) -> None:
    shown = image_block(b64encode(PNG).decode(), "image/png")
    async with (
        open_runtime(ScriptedModel(otherwise="Hm.")) as runtime,
        editing(runtime, home.editor_folders) as (conn, _),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        with pytest.raises(RequestError, match="reads no images") as refused:
            await conn.prompt(session_id=session, prompt=[text_block("What is it?"), shown])
        assert refused.value.code == -32602
        assert await runtime.conversations.list() == []


async def test_commands(open_runtime: OpenRuntime, home: Home) -> None:
    model = ScriptedModel(otherwise="Hm.")
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        await editor.until(lambda: editor.of("available_commands_update"))
        (offered,) = editor.of("available_commands_update")
        names = [one.name for one in offered.available_commands]
        assert names == [
            "remember", "memory", "agents", "who", "compact", "handover", "skills", "skill"
        ]  # fmt: skip

        async def said(words: str) -> str:
            editor.updates.clear()
            done = await conn.prompt(session_id=session, prompt=[text_block(words)])
            assert done.stop_reason == "end_turn"
            return editor.said()

        assert "✓ remembered: we ship on Thursdays" in await said("/remember we ship on Thursdays")
        assert "we ship on Thursdays" in await said("/memory ship")
        assert "@kyra" in await said("/agents")
        assert "@" in await said("/who review this function")
        assert await said("/skills")
        for early in ("/compact", "/handover luke"):
            with pytest.raises(RequestError, match="say something first"):
                await conn.prompt(session_id=session, prompt=[text_block(early)])
        with pytest.raises(RequestError, match="/memory deployment"):
            await conn.prompt(session_id=session, prompt=[text_block("/memory")])
        with pytest.raises(RequestError, match="no skill"):
            await conn.prompt(session_id=session, prompt=[text_block("/skill nothing")])
        assert model.requests == [] and await runtime.conversations.list() == []

        assert await said("/etc/hosts is a file") == "Hm."
        assert await said("/compact") == "there is nothing to sum up yet"
        await conn.set_session_mode(session_id=session, mode_id="kyra")
        assert "hands over to luke" in await said("/handover luke it is code")
        assert editor.of("current_mode_update")[0].current_mode_id == "luke"
        known = [one.name for one in await runtime.skills.list() if one.loaded]
        assert await said(f"/skill {known[0]} do it") == "Hm."
        last = (await runtime.conversations.messages(session))[-2]
        assert last.content == f"Use the skill {known[0]}. do it"


async def test_editors_mcp_servers_are_not_used(
    open_runtime: OpenRuntime, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    from acp.schema import McpServerStdio

    server = McpServerStdio(name="x", command="/bin/false", args=[], env=[])
    async with (
        open_runtime(ScriptedModel()) as runtime,
        editing(runtime, home.editor_folders) as (conn, _),
    ):
        await conn.new_session(cwd="/", mcp_servers=[server])
    assert "names 1 MCP servers, which are not used here" in caplog.text


# -- what nobody should send ------------------------------------------------------------------


async def test_hostile_lines_do_not_end_it(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel(otherwise="Hm.")) as runtime,
        raw(runtime, home.editor_folders, most=100_000) as editor,
    ):
        for line, code in (
            (b"{", -32700),
            (b"\xff\xfe\x00", -32700),
            (b"[" * 50_000, -32700),
            (b'[{"jsonrpc":"2.0"}]', -32600),
            (b"7", -32600),
            (b'{"id":{"a":1},"result":1}', -32600),
            (b'{"id":[1],"method":"initialize"}', -32600),
            (b'{"id":1,"method":7}', -32600),
            (b'{"id":1,"error":"x"}', -32600),
        ):
            await editor.send(b"", line)
            assert (await editor.next())["error"]["code"] == code, line
        long = b'{"jsonrpc":"2.0","id":"big","method":"session/new","params":{"cwd":"/'
        await editor.send(long + b"x" * 300_000 + b'"}}')
        refused = await editor.answer("big")
        assert "longer" in refused["error"]["message"]
        await editor.send(b'{"id":2,"method":"session/new","params":{"cwd":7}}')
        wrong = (await editor.answer(2))["error"]
        assert wrong["code"] == -32602 and "cwd" in str(wrong["data"])
        await editor.send(
            b'{"method":"$/cancel_request","params":{"requestId":[1]}}',
            b'{"method":"$/progress"}',
            b'{"method":"nothing/known"}',
            b'{"id":3,"method":"nothing/known"}',
        )
        assert (await editor.answer(3))["error"]["code"] == -32601
        hello = {"protocolVersion": 1, "_meta": {"self": 1, "protocol_version": "x"}}
        await editor.send(json.dumps({"id": 4, "method": "initialize", "params": hello}).encode())
        assert (await editor.answer(4))["result"]["protocolVersion"] == 1


async def test_a_prompt_cancelled_as_a_request(open_runtime: OpenRuntime, home: Home) -> None:
    never = asyncio.Event()
    async with (
        open_runtime(ScriptedModel([["One ", "two ", Gate(never)]])) as runtime,
        raw(runtime, home.editor_folders) as editor,
    ):
        new = {"cwd": "/", "mcpServers": []}
        await editor.send(json.dumps({"id": 1, "method": "session/new", "params": new}).encode())
        session = (await editor.answer(1))["result"]["sessionId"]
        prompt = {"sessionId": session, "prompt": [{"type": "text", "text": "Count"}]}
        await editor.send(
            json.dumps({"id": 2, "method": "session/prompt", "params": prompt}).encode()
        )
        while (await editor.next())["params"]["update"]["sessionUpdate"] != "agent_message_chunk":
            pass
        await editor.send(b'{"method":"$/cancel_request","params":{"requestId":2}}')
        assert (await editor.answer(2))["result"]["stopReason"] == "cancelled"


async def test_hostile_prompts(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel(otherwise="Hm \x1b]0;x\x07 \ud800 \u202e.")) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        for words, why in (
            ("x" * 5_000_000, "5,000,000 characters; 1,000,000 is the most"),
            ("a\0b", "zero bytes"),
            ("  ", "prompt is empty"),
        ):
            with pytest.raises(RequestError, match=why) as refused:
                await conn.prompt(session_id=session, prompt=[text_block(words)])
            assert refused.value.code == -32602 and len(str(refused.value)) < 300
        with pytest.raises(RequestError, match="200 is the most"):
            await conn.prompt(session_id=session, prompt=[text_block("x")] * 201)
        log = embedded_text_resource("file:///x.log", "y" * (MOST_TEXT + 1))
        with pytest.raises(RequestError, match="2,000,000 is the most"):
            await conn.prompt(session_id=session, prompt=[resource_block(log)])
        assert await runtime.conversations.list() == []
        await conn.prompt(session_id=session, prompt=[text_block("\x1b[31mHello\ud83d")])
        assert "\x1b" not in editor.said() and "\x07" not in editor.said()
        assert "‹U+202E›" in editor.said()
        (info,) = editor.of("session_info_update")
        assert "\x1b" not in info.title


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd", "file:///../etc/passwd", "file:///work/..%2F..%2Fetc/passwd",
        "file:///%00", "file://other/work/a", "http://x/", "data:,x", "relative", "file:work",
        "file://[", "",
    ],
)  # fmt: skip
async def test_paths_that_lead_out(uri: str, tmp_path: Path) -> None:
    with pytest.raises(NotTaken):
        await Files(tmp_path).read(uri)


async def test_what_is_no_plain_text_file(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "zero").write_bytes(b"a\0b")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for name in ("pipe", "folder", "binary", "zero", "empty", "round", "none"):
        with pytest.raises(NotTaken):
            await Files(tmp_path).read((tmp_path / name).as_uri())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ä b.txt").write_text("fine")
    (tmp_path / "inner").symlink_to(tmp_path / "sub")
    found = await Files(tmp_path).read((tmp_path / "inner" / "ä b.txt").as_uri())
    assert (found.text, found.name, found.origin) == ("fine", "sub/ä b.txt", "file")


def test_folders_are_kept_by_id_alone(tmp_path: Path) -> None:
    kept, session = Folders(tmp_path / "folders"), new_id()
    kept.keep(session, "/work")
    kept.keep("../../out", "/work")
    assert Folders(tmp_path / "folders").of(session) == "/work"
    assert [one.name for one in tmp_path.rglob("*")] == ["folders", session]
    assert kept.of(new_id()) == kept.of("../../out") == ""


def test_kinds_and_titles_of_tools() -> None:
    kinds = {
        "http_get": "fetch", "search_memory": "search", "github_create_issue": "edit",
        "runCommand": "execute", "fs_delete_file": "delete", "ls_files": "other", "": "other",
    }  # fmt: skip
    assert {name: kind_of(name) for name in kinds} == kinds
    assert title_of("bash", {"command": "ls\n\x1b[2J" + "x" * 500}).startswith("bash ls [2J")
    assert len(title_of("bash", {"command": "x" * 500})) <= 120
