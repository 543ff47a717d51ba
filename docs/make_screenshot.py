"""Draws docs/screenshot.svg: the workstation over the real runtime, with a scripted model.

Run it from the checkout: `python docs/make_screenshot.py`. The home is a temporary one, the words
and the clock are fixed, so the picture changes only when the program does.
"""

import asyncio
import hashlib
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from skill_agent.cli.opening.home import open_home
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.screen import TalkScreen
from textual.pilot import Pilot

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.workstation import Workstation

OUT = Path(__file__).with_name("screenshot.svg")
SIZE = (118, 38)
REPLY = """You deploy on **Fridays**, from the `release` branch. Two things from before:

1. Cut the branch on Thursday evening; last week it was late
2. Run the migration *before* the build, since Tom waits for it

```bash
git switch release && git pull --ff-only
make migrate && make deploy
```
"""
TALK = (
    (
        "Remember that I deploy on Fridays from the release branch.",
        "Noted: **Fridays**, from the release branch.",
    ),
    (
        "The release branch was cut late this week, and Tom waited for the migration.",
        "That cost him a morning, then. Shall I bring it up next time you deploy?",
    ),
)
QUESTION = "When do I deploy from the release branch, and what should I watch out for?"


class WordAxes:
    """Words hashed onto axes: an embedder without a model, the same on every machine."""

    name = "word-axes-64"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimensions), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                rows[row, hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Clock:
    """A minute passes each time it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


async def draw() -> str:
    """Two conversations, the second of which remembers the first; gives the SVG."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        model = ScriptedModel([*(reply for _, reply in TALK), REPLY], name="openai/gpt-4o")

        @asynccontextmanager
        async def home() -> AsyncIterator[Workstation]:
            async with open_home(
                Path(folder) / "home", create=True, gateway=ScriptedGateway(model),
                embedder=WordAxes(), clock=clock,
            ) as runtime:  # fmt: skip
                for said, _ in TALK:
                    async for _ in runtime.ask(said):
                        pass
                await runtime.memory.settle()
                clock.now += timedelta(days=7)
                yield runtime

        app = WorkstationApp(home, draft_dir=Path(folder) / "drafts")
        app.animation_level = "none"
        async with app.run_test(size=SIZE) as pilot:
            await talk(pilot)
            svg = app.export_screenshot(title="ska")
            await pilot.press("ctrl+q")
    # Rich derives the names inside the picture from its content, and ids are random.
    return re.sub(r"terminal-\d+-", "terminal-", svg)


async def talk(pilot: Pilot[None]) -> None:
    """Asks the question and waits for the whole reply."""
    talk = pilot.app.screen_stack[0]
    assert isinstance(talk, TalkScreen)
    await until(pilot, lambda: bool(talk.figures.member.slug))
    talk.composer.put(QUESTION)
    await pilot.press("enter")
    await until(pilot, lambda: talk.figures.written > 0)
    for _ in range(10):
        await pilot.pause(0.05)


async def until(pilot: Pilot[None], happened) -> None:
    """Lets the app work until it has happened; raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("the screen never showed what was waited for")
        await pilot.pause(0.02)


if __name__ == "__main__":
    OUT.write_text(asyncio.run(draw()), encoding="utf-8")
    print(OUT)
