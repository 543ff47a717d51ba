"""Makes the home that later versions must open: `python tests/upgrade/make_home.py NAME`.

Run it when the ledger's schema has changed, under a new name, and never again over an old one: what
a version wrote is kept as it wrote it. Writes NAME.tar.xz and, in NAME.json, what is shown of it.
"""

import asyncio
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "benchmarks")]

from fakes import HashEmbedder, StepClock  # noqa: E402
from in_process import open_in_process  # noqa: E402
from test_older_homes import shown_by, shown_messages  # noqa: E402

from skill_agent.host.runtime import Runtime  # noqa: E402
from skill_agent.identifiers import new_id  # noqa: E402
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel  # noqa: E402
from skill_agent.values import (  # noqa: E402
    CallOutcome,
    Message,
    NewMemory,
    Session,
    ToolCall,
)

KEPT = ("ledger.duckdb", "ledger.duckdb.anchor", "memory.lance", "config.toml", "agents.toml")


async def fill(runtime: Runtime, clock: StepClock) -> None:
    """One of each thing a ledger can hold."""
    ask = runtime.ask
    async for _ in ask("Remember that I deploy on Fridays from the release branch", key=new_id()):
        pass
    async for _ in ask("When do I deploy?", session="latest"):
        pass
    await runtime.feedback.rate("latest", "up", "good")
    await runtime.memory.add(NewMemory(content="The staging server is called heron", pinned=True))
    lives = await runtime.memory.add(
        NewMemory(content="I live in Berlin", memory_type="user_profile")
    )
    await runtime.memory.correct(lives.id, "I live in Lisbon", reason="moved")
    gone = await runtime.memory.add(NewMemory(content="a passing thought"))
    await runtime.memory.forget(gone.id, reason="enough")
    await with_tools(runtime, clock)
    await runtime.settle()
    await runtime.memory.settle()


async def with_tools(runtime: Runtime, clock: StepClock) -> None:
    """A conversation with a page of the web in it, and a call that was not allowed."""
    ledger, now = runtime.ledger, clock()
    session = Session(id=new_id(), title="A page", agent="kyra", created_at=now, updated_at=now)
    await ledger.create_session(session)
    calls = (
        ToolCall(id="call-1", name="http_get", arguments={"url": "https://example.org"}),
        ToolCall(id="call-2", name="nonsense", arguments={}, problem="there is no such tool"),
    )
    said: list[dict[str, Any]] = [
        {"role": "user", "content": "What does the page say?", "zone": "Asia/Tokyo"},
        {"role": "assistant", "content": "", "tool_calls": calls, "agent": "kyra"},
        {
            "role": "tool", "content": "Herons nest in trees.", "tool_call_id": "call-1",
            "outcome": CallOutcome(ok=True, seconds=0.5, choice="once", by="person"),
            "origins": ("web", "tool"),
        },
        {
            "role": "tool", "content": "there is no such tool", "tool_call_id": "call-2",
            "outcome": CallOutcome(ok=False),
        },
        {"role": "assistant", "content": "They nest in trees.", "agent": "kyra",
         "origins": ("web",)},
    ]  # fmt: skip
    for fields in said:
        await ledger.save_message(
            Message(id=new_id(), session=session.id, turn="turn-1", created_at=clock(), **fields)
        )
    await ledger.note("approval", "call-1", actor="user", data={"session": session.id, "ok": True})


async def main(name: str) -> None:
    clock, model = StepClock(), ScriptedModel(["Noted.", "On Fridays."], otherwise="All right.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        options: Any = {"gateway": ScriptedGateway(model), "embedder": HashEmbedder()}
        async with open_in_process(home, create=True, clock=clock, **options) as runtime:
            await fill(runtime, clock)
            shown = {**await shown_by(runtime), "told": await shown_messages(runtime)}
        with tarfile.open(HERE / f"{name}.tar.xz", "w:xz") as archive:
            for kept in KEPT:
                archive.add(home / kept, arcname=kept)
    text = json.dumps(shown, indent=1, ensure_ascii=False)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
