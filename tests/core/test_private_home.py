"""Whatever the umask says, a home is its person's alone, file by file."""

import os
import stat
from pathlib import Path

from fakes import OpenRuntime

from skill_agent.events import ApprovalAsked
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import ToolCall

FETCH = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/x"})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_no_file_of_a_home_is_open_to_others(open_runtime: OpenRuntime, home: Home) -> None:
    """The index, which a library writes, lies in a folder that is closed."""
    before = os.umask(0)
    try:
        async with open_runtime(ScriptedModel([[FETCH]], otherwise="Noted.")) as runtime:
            async for event in runtime.ask("Remember that the gym opens at six. Look it up."):
                if isinstance(event, ApprovalAsked):
                    await runtime.approvals.answer(event.approval, "always")
            await runtime.settle()
            await runtime.user_data.export(str(home.root / "me.zip"))
    finally:
        os.umask(before)
    assert home.rules.is_file() and home.ledger.is_file()
    folders = [home.root, *(one for one in home.root.iterdir() if one.is_dir())]
    assert {one.name: mode(one) for one in folders} == {one.name: 0o700 for one in folders}
    files = [one for one in home.root.rglob("*") if one.is_file()]
    outside = [one for one in files if home.root / "memory.lance" not in one.parents]
    assert len(outside) > 5
    assert {one.name: mode(one) for one in outside} == {one.name: 0o600 for one in outside}
