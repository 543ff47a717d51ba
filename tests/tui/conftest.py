"""The workstation over a scripted runtime in memory, and ways to wait for what must happen."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes import HashEmbedder, StepClock

sys.path.insert(0, str(Path(__file__).parent))

from skill_agent.cli.opening.home import open_home
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.memory.screen import MemoryScreen
from skill_agent.tui.talk.screen import TalkScreen
from stage import StageRuntime, opener
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Markdown, Static
from waiting import all_handled, settled, until

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.workstation import Workstation


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deep: further pictures, properties and chaos")


Kind = TypeVar("Kind", bound=Screen[Any])


class Seat:
    """One running workstation under test."""

    def __init__(self, app: WorkstationApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def talk(self) -> TalkScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, TalkScreen)
        return found

    async def until(self, happened: Callable[[], Any]) -> None:
        """Lets the app work until it has happened; fails when it never does."""
        await until(self.pilot, happened)

    async def settled(self) -> None:
        """Lets the app work until nothing is under way and the picture stays as it is."""
        await settled(self.pilot)

    async def press(self, *keys: str) -> None:
        """Presses keys, and lets everybody handle what they set off."""
        await self.pilot.press(*keys)
        await all_handled(self.pilot)

    async def say(self, text: str) -> None:
        """Types a message and sends it."""
        self.talk.composer.put(text)
        await self.press("enter")

    async def at(self, kind: type[Kind]) -> Kind:
        """Waits until such a screen is on top and takes keys; gives it."""
        await self.until(lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted)
        await all_handled(self.pilot)
        assert isinstance(self.app.screen, kind)
        return self.app.screen

    def shown(self) -> str:
        """All text of the conversation, as a reader sees it."""
        parts: list[str] = []
        for widget in self.talk.conversation.walk_children():
            if isinstance(widget, Markdown):
                parts.append(widget.source)
            elif isinstance(widget, Static):
                parts.append(str(widget.render()))
        return "\n".join(parts)

    @property
    def memory(self) -> MemoryScreen:
        found = self.app.screen_stack[1]
        assert isinstance(found, MemoryScreen)
        return found

    async def look(self, contents: int = 1) -> MemoryScreen:
        """Opens the memory screen and waits for so many memories."""
        await self.press("f5")
        await self.at(MemoryScreen)
        await self.until(lambda: len(self.memory.listing.memories) >= contents)
        await self.until(lambda: contents == 0 or self.memory.story.shown)
        return self.memory

    def told(self) -> str:
        """All text of the story shown, without its line breaks."""
        parts = [str(one.render()) for one in self.memory.story.query(Widget)]
        return " ".join(" ".join(parts).split())

    async def quit(self) -> None:
        await self.pilot.press("ctrl+q")


SitDown = Callable[..., AbstractAsyncContextManager[Seat]]


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    return tmp_path / "drafts"


@pytest.fixture
def sit(drafts: Path) -> SitDown:
    """Runs the workstation on a runtime: `async with sit(StageRuntime()) as seat`."""

    @asynccontextmanager
    async def seated(
        runtime: Any, *, size: tuple[int, int] = (100, 30), ready: bool = True, **options: Any
    ) -> AsyncIterator[Seat]:
        factory = opener(runtime) if isinstance(runtime, StageRuntime) else runtime
        app = WorkstationApp(factory, draft_dir=drafts, **options)
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            seat = Seat(app, pilot)
            if ready:
                await seat.until(lambda: seat.talk.figures.member.slug)
            yield seat
            await seat.quit()

    return seated


Join = Callable[[ScriptedModel], AbstractAsyncContextManager[Workstation]]


@pytest.fixture
def join(home: Home, clock: StepClock) -> Join:
    """Attaches to whoever holds the home, and takes over with this model after it."""

    def joined(model: ScriptedModel) -> AbstractAsyncContextManager[Workstation]:
        gateway = ScriptedGateway(model)
        return open_home(home.root, gateway=gateway, embedder=HashEmbedder(), clock=clock)

    return joined
