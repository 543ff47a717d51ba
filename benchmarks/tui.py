"""What the workstation costs on the screen: first paint, echo, long replies, long conversations,
doing nothing.

    python benchmarks/tui.py [--messages 10000] [--tokens 5000] [--json]

Each figure stands beside its budget; those of time beside what else takes time in the same run.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from in_process import open_in_process
from measuring import Row, calibrated, show
from skill_agent.cli.opening.home import open_home
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.foot.composer import Composer
from skill_agent.tui.talk.screen import TalkScreen
from startup import first_paint, keypress_echo
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from skill_agent.events import Event
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Message
from skill_agent.workstation import Workstation

SIZE = (100, 40)
PATIENCE = 600.0
"""Seconds until something counts as never happening."""
REPLY = """Point {0} of **{0}**, with `code` and a [link](https://example.org/{0}).

- one
- two

```python
def point{0}():
    return {0}
```
"""


class Imports(MetaPathFinder):
    """Notes what is imported on the thread it was made on, from `noting` on; finds nothing."""

    def __init__(self) -> None:
        self._thread, self.noting = threading.current_thread(), False
        self.seen: list[str] = []

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if self.noting and threading.current_thread() is self._thread:
            self.seen.append(fullname)


class Seat:
    """A workstation one sits at."""

    def __init__(self, app: WorkstationApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def talk(self) -> TalkScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, TalkScreen)
        return found

    async def until(self, happened: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < end, "it never happened"
            await asyncio.sleep(0.005)

    async def drawn(self) -> None:
        """Until what was asked for is on the screen."""
        seen = asyncio.Event()
        self.app.call_after_refresh(seen.set)
        await asyncio.wait_for(seen.wait(), PATIENCE)


@asynccontextmanager
async def seated(folder: Path, pieces: Sequence[str] = ("Hello.",)) -> AsyncIterator[Seat]:
    gateway = ScriptedGateway(ScriptedModel(otherwise=[*pieces]))

    def opener() -> AbstractAsyncContextManager[Workstation]:
        return open_home(folder, create=True, gateway=gateway)

    app = WorkstationApp(opener, draft_dir=folder / "drafts")
    async with app.run_test(size=SIZE) as pilot:
        seat = Seat(app, pilot)
        await seat.until(lambda: app.runtime is not None and seat.talk.figures.member.slug)
        yield seat


async def fill(folder: Path, count: int) -> str:
    """A home with one conversation of so many messages; gives its id."""
    gateway = ScriptedGateway(ScriptedModel(otherwise="It begins."))
    async with open_in_process(folder, create=True, gateway=gateway) as runtime:
        begun = [event async for event in runtime.ask("How does it begin?")][-1]
        made = [_message(begun, number) for number in range(2, count)]
        for at in range(0, len(made), 200):  # a group is saved together, in its order
            await asyncio.gather(*map(runtime.ledger.save_message, made[at : at + 200]))
        return begun.session


def _message(like: Event, number: int) -> Message:
    said = REPLY.format(number) if number % 2 else f"What is point {number}?"
    return Message(
        id=new_id(), session=like.session, turn=f"turn-{number // 2}", content=said,
        role="assistant" if number % 2 else "user", created_at=datetime.now(UTC), agent="kyra",
    )  # fmt: skip


async def long_conversation(folder: Path, count: int) -> list[Row]:
    """From the order to show it until its end is drawn; then up through it, a page a frame."""
    session = await fill(folder, count)
    work = calibrated().work
    async with seated(folder) as seat:
        home, talk = seat.talk, seat.talk.conversation
        await asyncio.sleep(10)  # who answers next is woken, what comes later is imported
        assert seat.app.runtime is not None
        found = await seat.app.runtime.conversations.find(session)
        begun = time.process_time()
        await home._opened().listener.open(found)
        await seat.drawn()
        opened = time.process_time() - begun
        frames = []
        for _ in range(120):
            begun = time.process_time()
            talk.scroll_relative(y=-5, animate=False, immediate=True)
            await seat.drawn()
            frames.append(time.process_time() - begun)
    frames.sort()
    return [
        Row(what=f"a conversation of {count:,} messages opens", value=opened, unit="s",
            baseline=work, budget=0.5, note="processor seconds"),
        Row(what="its frames while one scrolls up, mean (30 a second)",
            value=sum(frames) / len(frames), unit="s", baseline=work, budget=1 / 30,
            note=f"processor seconds; p95 {frames[int(0.95 * len(frames))]:.3f}"),
    ]  # fmt: skip


async def long_reply(tokens: int) -> Row:
    """What the last fifth of a reply takes, beside the first; as quick as it can be drawn."""
    from skill_agent.tui.talk.shown.prose import Prose

    pieces = [f"word{n} " + ("\n\n" if n % 60 == 59 else "") for n in range(tokens)]
    fifth, spent = tokens // 5, list[float]()

    class Page(App[None]):
        def compose(self) -> ComposeResult:
            with VerticalScroll():
                yield Prose()

    async with Page().run_test(size=SIZE) as pilot:
        prose = pilot.app.query_one(Prose)
        pilot.app.query_one(VerticalScroll).anchor()
        for part in range(5):
            begun = time.process_time()
            for at in range(part * fifth, (part + 1) * fifth, 4):  # a beat of a quick model
                await prose.append("".join(pieces[at : at + 4]))
                await asyncio.sleep(0)
            spent.append(time.process_time() - begun)
    return Row(
        what=f"last {fifth:,} tokens of a {tokens:,}-token reply (first, 2x)", value=spent[-1],
        unit="s", baseline=spent[0], budget=2 * spent[0], note="processor seconds",
    )  # fmt: skip


async def idle(folder: Path, seconds: float) -> Row:
    async with seated(folder) as seat:
        await asyncio.sleep(5)  # who answers next is woken
        await seat.drawn()
        begun = time.process_time()
        await asyncio.sleep(seconds)
        spent = time.process_time() - begun
    return Row(what=f"an open workstation doing nothing for {seconds:.0f} s", value=spent,
               unit="s", budget=0.02 * seconds, note="processor seconds")  # fmt: skip


async def imported(folder: Path) -> tuple[Row, list[str]]:
    """Modules that a first turn, its reply and the places import where keys wait."""
    from skill_agent.tui.places import PLACES

    watching = Imports()
    sys.meta_path.insert(0, watching)
    async with seated(folder, [REPLY.format(1)]) as seat:
        await asyncio.sleep(3)
        watching.noting = True
        composer = seat.talk.query_one(Composer)
        composer.text = "go"
        await seat.pilot.press("enter")
        await seat.until(lambda: seat.talk.figures.written)
        await asyncio.sleep(1)
        for place in PLACES[1:]:
            seat.app.action_place(place.name)
            await asyncio.sleep(1)
        watching.noting = False
    sys.meta_path.remove(watching)
    names = [one for one in watching.seen if one in sys.modules]
    return Row(what="modules imported on the UI thread", value=len(names), unit="", budget=0), names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        imports, names = asyncio.run(imported(home / "imports"))  # first: nothing is loaded yet
        rows = [first_paint(), imports]
        rows.append(replace(asyncio.run(keypress_echo(home / "echo")), budget=0.05))
        rows.append(asyncio.run(long_reply(options.tokens)))
        rows += asyncio.run(long_conversation(home / "long", options.messages))
        rows.append(asyncio.run(idle(home / "idle", 10)))
    show("The workstation's screen", rows, as_json=options.json)
    for name in names:
        print(f"  imported on the UI thread: {name}", file=sys.stderr)
    sys.exit(any(row.kept is False for row in rows))


if __name__ == "__main__":
    main()
