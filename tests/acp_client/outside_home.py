"""A home with an agent that runs on the scripted program, and what came of its turns."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fakes import HashEmbedder, StepClock
from in_process import open_in_process

from skill_agent.events import ApprovalAsked, Choice, Event
from skill_agent.files.bundled import bundled_agents_path
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel

PROGRAM = Path(__file__).with_name("scripted_agent.py")
Kind = TypeVar("Kind")
_AGENT = """
[agents.claude]
name = "Claude"
tagline = "The strong one"
runs = { acp = "scripted" }
"""


@dataclass
class OutsideHome:
    """`claude` runs on the scripted program, which starts in some of its ways."""

    root: Path
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.root.parent / "sent.jsonl"

    @asynccontextmanager
    async def opened(
        self,
        *ways: str,
        settings: str = "",
        more: str = "",
        command: Sequence[str] = (),
        env: Sequence[str] = (),
    ) -> AsyncIterator[Runtime]:
        """The home with its program as it is now, or another `command`; `settings` are those of
        `[acp]`, `more` other tables."""
        self.root.mkdir(exist_ok=True)
        command = command or [sys.executable, "-S", str(PROGRAM), str(self.log), *ways]
        (self.root / "config.toml").write_text(
            f"[acp]\n{settings}\n[acp.programs.scripted]\ncommand = {json.dumps(command)}\n"
            f"env = {json.dumps(env)}\n{more}"
        )
        if not (agents := self.root / "agents.toml").exists():
            agents.write_text(bundled_agents_path().read_text() + _AGENT)
        model = ScriptedModel(otherwise="I am Kyra.")
        parts: dict[str, Any] = {"gateway": ScriptedGateway(model), "embedder": HashEmbedder()}
        async with open_in_process(self.root, create=True, clock=StepClock(), **parts) as runtime:
            yield runtime

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What the program was sent, over all its lives."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [one["params"] for one in self.sent if one.get("method") == method]

    @property
    def prompts(self) -> list[str]:
        return [one["prompt"][0]["text"] for one in self.asked("session/prompt")]

    @property
    def groups(self) -> list[int]:
        """Process groups that were started."""
        return [one["group"] for one in self.sent if "group" in one]


def runs(group: int, *, alone: bool = False) -> bool:
    """Whether anything of a process group is left; `alone` means the process of that id."""
    try:
        (os.kill if alone else os.killpg)(group, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(group: int, *, alone: bool = False) -> None:
    """Waits until it is; whoever was left by its parent is taken away a moment later."""
    while runs(group, alone=alone):  # noqa: ASYNC110 - nobody tells of the end of a process
        await asyncio.sleep(0.01)


async def said(
    runtime: Runtime,
    text: str,
    *,
    answer: Choice | None = None,
    seen: Callable[[Event], None] = lambda _: None,
    **more: Any,
) -> list[Event]:
    """A turn of the outside agent; what it asks is answered."""
    events: list[Event] = []
    async with aclosing(runtime.ask(text, agent="claude", **more)) as stream:
        async for event in stream:
            events.append(event)
            seen(event)
            if isinstance(event, ApprovalAsked) and answer is not None:
                assert await runtime.approvals.answer(event.approval, answer)
    return events


def those(events: Sequence[Event], kind: type[Kind]) -> list[Kind]:
    return [one for one in events if isinstance(one, kind)]


def the(events: Sequence[Event], kind: type[Kind]) -> Kind:
    found = those(events, kind)
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {[one.line for one in events]}"
    return found[0]
