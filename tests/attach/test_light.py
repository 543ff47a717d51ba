"""What an attached command does not import."""

import asyncio
import json
import sys

import pytest
from hosts import OpenWindow

from skill_agent.models.scripted import ScriptedModel

HEAVY = {
    "pydantic", "numpy", "duckdb", "lancedb", "pyarrow", "fastapi", "starlette", "uvicorn",
    "textual", "filelock", "tomlkit", "litellm", "rapidfuzz", "yaml",
}  # fmt: skip

SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from skill_agent.attach.remote import attach
from skill_agent.attach.transport import Line
from skill_agent.attach.remote_workstation import RemoteWorkstation

async def main(path):
    line = Line(socket=Path(path), name="test")
    window = RemoteWorkstation(await attach(line), recover=None)
    {work}
    await window.close()

asyncio.run(main(sys.argv[1]))
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""
WORK = {
    "search": "assert (await window.memory.search('tea'))[0].memory.content == 'I drink tea'",
    "ask": "assert [e async for e in window.ask('hello')][-1].text == 'Hi.'",
    "add": "assert (await window.memory.add('x')).content == 'x'",
    "sessions": "assert await window.conversations.list() == []",
}


@pytest.mark.parametrize("what", WORK)
async def test_nothing_heavy_is_imported(what: str, open_window: OpenWindow) -> None:
    async with open_window(ScriptedModel(otherwise="Hi.")) as (window, runtime):
        await window.memory.add("I drink tea")
        socket = (await runtime.host.status()).socket
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT.format(work=WORK[what]), socket,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert set(json.loads(out)) & HEAVY == set()
