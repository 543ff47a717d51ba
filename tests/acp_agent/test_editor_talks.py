"""Every method of the protocol over a real home, as the SDK's client calls it."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from acp.exceptions import RequestError
from acp.helpers import text_block
from an_editor import Editor, editing
from fakes import OpenRuntime

from skill_agent.events import TextDelta, TurnFinished
from skill_agent.files.home import Home
from skill_agent.models.scripted import Gate, ScriptedModel, Step
from skill_agent.ports import ModelRequest, ThoughtPart
from skill_agent.values import TurnRequest


async def test_hello(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel()) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            _,
        ),
    ):
        hello = await conn.initialize(99)
        told = hello.model_dump(by_alias=True, exclude_none=True)
    assert told["protocolVersion"] == 1
    assert told["agentInfo"]["name"] == "skill-agent" and told["authMethods"] == []
    can = told["agentCapabilities"]
    assert can["loadSession"] and can["sessionCapabilities"].keys() == {"list", "resume", "close"}
    assert can["promptCapabilities"] == {"image": True, "audio": False, "embeddedContext": True}
    assert can["mcpCapabilities"]["http"] is False and can["mcpCapabilities"]["sse"] is False


async def test_a_session_becomes_a_conversation_with_its_first_message(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    model = ScriptedModel([[ThoughtPart(text="Hm."), "Good ", "morning."], "Still here."])
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        await conn.authenticate("none")
        new = await conn.new_session(cwd=str(tmp_path))
        assert await runtime.conversations.list() == []
        done = await conn.prompt(session_id=new.session_id, prompt=[text_block("Hello")])
        assert done.stop_reason == "end_turn"
        assert done.usage and done.usage.total_tokens > done.usage.output_tokens > 0
        assert editor.said() == "Good morning." and editor.thought() == "Hm."
        (kept,) = await runtime.conversations.list()
        assert kept.id == new.session_id and kept.title == "Hello"
        (info,) = editor.of("session_info_update")
        assert info.title == "Hello"
        (usage,) = editor.of("usage_update")
        assert usage.size == 8192 and 0 < usage.used < usage.size
        await conn.prompt(session_id=new.session_id, prompt=[text_block("And now?")])
        assert len(await runtime.conversations.messages(kept.id)) == 4


async def test_listed_loaded_resumed_and_closed(
    open_runtime: OpenRuntime, home: Home, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        async with editing(runtime, home.editor_folders) as (conn, _):
            mine = (await conn.new_session(cwd=str(here))).session_id
            await conn.prompt(session_id=mine, prompt=[text_block("From the editor")])
            other = (await conn.new_session(cwd=str(there))).session_id
            await conn.prompt(session_id=other, prompt=[text_block("In another folder")])
        elsewhere = [one async for one in runtime.turns.ask("From the terminal")][-1]
        async with editing(runtime, home.editor_folders) as (conn, editor):
            listed = (await conn.list_sessions(cwd=str(here))).sessions
            assert [one.session_id for one in listed] == [elsewhere.session, mine]
            assert {one.cwd for one in listed} == {str(here)}
            assert listed[1].title == "From the editor" and listed[1].updated_at
            everything = (await conn.list_sessions()).sessions
            known = {one.session_id: one.cwd for one in everything}
            assert known == {
                mine: str(here), other: str(there), elsewhere.session: str(Path.home())
            }  # fmt: skip
            with pytest.raises(RequestError, match="not open"):
                await conn.prompt(session_id=mine, prompt=[text_block("Again")])
            loaded = await conn.load_session(cwd=str(here), session_id=mine)
            assert loaded.modes and loaded.modes.current_mode_id == "@team"
            assert [one.content.text for one in editor.of("user_message_chunk")] == [
                "From the editor"
            ]
            assert editor.said(mine) == "Yes."
            await conn.prompt(session_id=mine, prompt=[text_block("Again")])
            seen = len(editor.updates)
            await conn.resume_session(cwd=str(here), session_id=elsewhere.session)
            await conn.prompt(session_id=elsewhere.session, prompt=[text_block("Go on")])
            replayed = [one for _, one in editor.updates[seen:]]
            assert "user_message_chunk" not in {one.session_update for one in replayed}
            assert len(await runtime.conversations.messages(elsewhere.session)) == 4
            await conn.close_session(session_id=mine)
            with pytest.raises(RequestError, match="not open"):
                await conn.prompt(session_id=mine, prompt=[text_block("Gone?")])
            with pytest.raises(RequestError, match="no session") as refused:
                await conn.load_session(cwd=str(here), session_id="latest")
            assert refused.value.code == -32002


@pytest.mark.deep
async def test_a_long_list_comes_in_pages(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(ScriptedModel(otherwise="Yes.")) as runtime:
        for number in range(51):
            async with aclosing(runtime.turns.ask(f"Number {number}")) as events:
                async for _ in events:
                    pass
        async with editing(runtime, home.editor_folders) as (conn, _):
            first = await conn.list_sessions(cwd="/")
            assert len(first.sessions) == 50 and first.next_cursor
            rest = await conn.list_sessions(cwd="/", cursor=first.next_cursor)
            assert rest.next_cursor is None
            found = {one.session_id for one in (*first.sessions, *rest.sessions)}
            assert len(found) == 51
            with pytest.raises(RequestError, match="cursor"):
                await conn.list_sessions(cursor="%%%")


async def test_cancelled_in_mid_stream(open_runtime: OpenRuntime, home: Home) -> None:
    never = asyncio.Event()
    model = ScriptedModel([["One ", "two ", Gate(never), "three"]], otherwise="Again.")
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block("Count")]))
        await editor.until(lambda: "two" in editor.said() or "One" in editor.said())
        with pytest.raises(RequestError, match="being answered") as refused:
            await conn.prompt(session_id=session, prompt=[text_block("Me too")])
        assert refused.value.code == -32600
        await conn.cancel(session_id=session)
        assert (await prompt).stop_reason == "cancelled"
        kept = (await runtime.conversations.messages(session))[-1]
        assert kept.state == "partial" and editor.said() == kept.content
        done = await conn.prompt(session_id=session, prompt=[text_block("Once more")])
        assert done.stop_reason == "end_turn"
        await conn.cancel(session_id=session)  # nothing runs: nothing happens
        await conn.cancel(session_id="unknown")


async def test_cancelled_while_another_window_is_answered(
    open_runtime: OpenRuntime, home: Home
) -> None:
    goes_on = asyncio.Event()
    model = ScriptedModel(["Yes.", ["One ", "two ", Gate(goes_on)]], otherwise="Fine.")
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (conn, _),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        await conn.prompt(session_id=session, prompt=[text_block("Begin")])
        elsewhere = await runtime.turns.submit(TurnRequest("Count", session=session))
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block("Now")]))
        with runtime.turns.subscribe(turn=elsewhere.turn) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        await conn.cancel(session_id=session)
        assert (await prompt).stop_reason == "cancelled"
        assert (await runtime.turns.get(elsewhere.turn)).state == "running"
        goes_on.set()


async def test_closing_a_session_stops_what_it_answers(
    open_runtime: OpenRuntime, home: Home
) -> None:
    never = asyncio.Event()
    model = ScriptedModel([["One ", "two ", Gate(never)]])
    async with (
        open_runtime(model) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            editor,
        ),
    ):
        session = (await conn.new_session(cwd="/")).session_id
        prompt = asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block("Count")]))
        await editor.until(editor.said)
        await conn.close_session(session_id=session)
        assert (await prompt).stop_reason == "cancelled"
        (state,) = await runtime.turns.list()
        assert state.reason == "cancelled"


async def test_an_editor_that_goes_takes_its_turns_along(
    open_runtime: OpenRuntime, home: Home
) -> None:
    never = asyncio.Event()
    async with open_runtime(ScriptedModel([["One ", "two ", Gate(never)]])) as runtime:
        async with editing(runtime, home.editor_folders) as (conn, editor):
            session = (await conn.new_session(cwd="/")).session_id
            prompt = asyncio.create_task(
                conn.prompt(session_id=session, prompt=[text_block("Count")])
            )
            await editor.until(editor.said)
        with pytest.raises(ConnectionError):
            await prompt
        (state,) = await runtime.turns.list()
        assert state.state == "failed" and state.reason == "cancelled"


async def test_two_sessions_at_once(open_runtime: OpenRuntime, home: Home) -> None:
    first_goes, second_goes = asyncio.Event(), asyncio.Event()

    def reply(request: ModelRequest) -> list[Step]:
        first = "First" in str(request)
        return ["A " if first else "B ", Gate(first_goes if first else second_goes), "end"]

    async with (
        open_runtime(ScriptedModel(otherwise=reply)) as runtime,
        editing(  # pyright: ignore[reportArgumentType]
            runtime, home.editor_folders
        ) as (conn, editor),
    ):
        one = (await conn.new_session(cwd="/")).session_id
        two = (await conn.new_session(cwd="/")).session_id
        asked = [
            asyncio.create_task(conn.prompt(session_id=session, prompt=[text_block(words)]))
            for session, words in ((one, "First"), (two, "Second"))
        ]
        second_goes.set()
        await asked[1]
        assert editor.said(two) == "B end" and not asked[0].done()
        first_goes.set()
        await asked[0]
        assert editor.said(one) == "A end"


async def test_agents_are_modes_and_options(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel(otherwise="Hm.")) as runtime,
        editing(runtime, home.editor_folders) as (conn, editor),
    ):
        new = await conn.new_session(cwd="/")
        assert new.modes and new.config_options
        modes = [one.id for one in new.modes.available_modes]
        assert modes[0] == new.modes.current_mode_id == "@team" and {"kyra", "luke"} < {*modes}
        assert [(one.id, one.category) for one in new.config_options] == [
            ("agent", "mode"), ("model", "model")
        ]  # fmt: skip
        assert await _answers(conn, editor, runtime, new.session_id) != "luke"
        await conn.set_session_mode(mode_id="luke", session_id=new.session_id)
        await editor.until(lambda: editor.of("config_option_update"))
        assert editor.of("config_option_update")[0].config_options[0].current_value == "luke"
        assert await _answers(conn, editor, runtime, new.session_id) == "luke"
        told = await conn.set_config_option(
            config_id="agent", session_id=new.session_id, value="kyra"
        )
        assert told and told.config_options[0].current_value == "kyra"
        await editor.until(lambda: editor.of("current_mode_update"))
        assert editor.of("current_mode_update")[0].current_mode_id == "kyra"
        assert await _answers(conn, editor, runtime, new.session_id) == "kyra"
        await conn.set_config_option(
            config_id="model", session_id=new.session_id, value="scripted/model"
        )
        for wrong in (
            conn.set_session_mode(mode_id="nobody", session_id=new.session_id),
            conn.set_config_option(config_id="model", session_id=new.session_id, value="none"),
            conn.set_config_option(config_id="colour", session_id=new.session_id, value="red"),
        ):
            with pytest.raises(RequestError) as refused:
                await wrong
            assert refused.value.code == -32602


async def _answers(conn: object, editor: Editor, runtime: object, session: str) -> str:
    """Who answers what is asked in a session."""
    await conn.prompt(session_id=session, prompt=[text_block("Who are you?")])  # pyright: ignore
    last = (await runtime.conversations.messages(session))[-1]  # pyright: ignore
    return last.agent


async def test_an_agent_by_name(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel(otherwise="Hm.")) as runtime,
        editing(runtime, home.editor_folders, agent="Luke") as (conn, editor),
    ):
        new = await conn.new_session(cwd="/")
        assert new.modes and new.modes.current_mode_id == "luke"
        assert "@team" not in {one.id for one in new.modes.available_modes}
        assert await _answers(conn, editor, runtime, new.session_id) == "luke"


async def test_what_is_not_ours_is_refused(open_runtime: OpenRuntime, home: Home) -> None:
    async with (
        open_runtime(ScriptedModel()) as runtime,
        editing(runtime, home.editor_folders) as (
            conn,
            _,
        ),
    ):
        for unknown in (
            conn.ext_method("make/coffee", {}),
            conn.fork_session(session_id="x", cwd="/", mcp_servers=[]),
        ):
            with pytest.raises(RequestError) as refused:
                await unknown
            assert refused.value.code == -32601
        await conn.ext_notification("nothing", {})
        with pytest.raises(RequestError, match="absolute"):
            await conn.new_session(cwd="here")


async def test_an_id_begins_one_conversation(open_runtime: OpenRuntime) -> None:
    from skill_agent.errors import Conflict, UsageError
    from skill_agent.identifiers import new_id

    async with open_runtime(ScriptedModel(otherwise="Hm.")) as runtime:
        begins, key = new_id(), new_id()
        first = [one async for one in runtime.turns.ask(TurnRequest("Hi", begins=begins, key=key))]
        assert isinstance(first[-1], TurnFinished) and first[-1].session == begins
        again = await runtime.turns.submit(TurnRequest("Hi", begins=begins, key=key))
        assert again.session == begins
        with pytest.raises(Conflict, match="begun already"):
            await runtime.turns.submit(TurnRequest("Hi", begins=begins))
        with pytest.raises(UsageError, match="no key"):
            await runtime.turns.submit(TurnRequest("Hi", begins="mine"))
        with pytest.raises(UsageError, match="not both"):
            await runtime.turns.submit(TurnRequest("Hi", begins=new_id(), session=begins))
        assert len(await runtime.conversations.list()) == 1
