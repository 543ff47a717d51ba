"""One memory under every door: what one program writes, an agent, an editor and an outside program
recall, each by its own protocol."""

from pathlib import Path

from acp.helpers import text_block
from an_editor import editing
from offered_visits import client_of, visit
from outside_home import OutsideHome

from skill_agent.events import TurnFinished
from skill_agent.models.scripted import ScriptedModel

TOLD, ASKED = "We ship on Thursdays", "When do we ship?"


async def test_what_one_program_writes_all_others_recall(tmp_path: Path) -> None:
    home = OutsideHome(tmp_path / "home")
    async with home.opened() as runtime:
        async with client_of(visit(runtime), "legacy") as client:
            kept = await client.call_tool("remember", {"content": TOLD})
            assert not kept.is_error

        events = [one async for one in runtime.ask(ASKED, agent="kyra")]
        assert isinstance(events[-1], TurnFinished)
        model = runtime.gateway._any  # type: ignore[attr-defined]
        assert isinstance(model, ScriptedModel)
        assert TOLD in model.requests[-1].messages[-1].content, "Kyra, in ska ask"

        await runtime.settle()
        async with editing(runtime, runtime.home.editor_folders, agent="kyra") as (conn, editor):
            session = (await conn.new_session(cwd=str(tmp_path), mcp_servers=[])).session_id
            await conn.prompt(prompt=[text_block(ASKED)], session_id=session)
            assert editor.said(session)
        assert TOLD in model.requests[-1].messages[-1].content, "Kyra, in an editor"

        events = [one async for one in runtime.ask(ASKED, agent="claude")]
        assert isinstance(events[-1], TurnFinished)
    assert TOLD in home.prompts[0], "a program of another make, over ACP"
