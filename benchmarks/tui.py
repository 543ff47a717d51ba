"""What the workstation costs on the screen: first paint, echo, long replies, long conversations,
many conversations, places, doing nothing.

    python benchmarks/tui.py [--messages 10000] [--sessions 10000] [--tokens 5000] [--json]

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
from datetime import UTC, datetime, timedelta
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from in_process import open_in_process
from measuring import Row, calibrated, show
from skill_agent.cli.opening.home import open_home
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.places import PLACES
from skill_agent.tui.talk.foot.composer import Composer
from skill_agent.tui.talk.screen import TalkScreen
from startup import first_paint, keypress_echo
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from skill_agent.conversations.turn_ends import ENDED
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import Belongings, Message, Note, Session
from skill_agent.workstation import Workstation

SIZE = (100, 40)
PATIENCE = 60.0
"""Seconds until something counts as never happening."""
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
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


def talk(number: int, length: int) -> Belongings:
    """A conversation of so many messages, its turns ended; a minute later than the one before."""
    begun = BEGAN + timedelta(minutes=number)
    made = Session(
        id=new_id(), title=f"Talk {number} about something", agent="kyra", created_at=begun,
        updated_at=begun + timedelta(seconds=length), messages=length,
    )  # fmt: skip
    messages, notes = list[Message](), list[Note]()
    for position in range(length):
        at = begun + timedelta(seconds=position)
        of_agent = position % 2 == 1
        said = REPLY.format(position) if of_agent else f"What is point {position} of {number}?"
        message = Message(
            id=new_id(), session=made.id, turn=messages[-1].turn if of_agent else new_id(),
            role="assistant" if of_agent else "user", content=said, created_at=at, agent="kyra",
            position=position,
        )  # fmt: skip
        messages.append(message)
        if of_agent:
            end = {"session": made.id, "message_id": message.id, "state": "finished"}
            notes.append(Note(kind=ENDED, entity=message.turn, actor="kyra", at=at, data=end))
    return Belongings(sessions=(made,), messages=tuple(messages), notes=tuple(notes))


async def fill(folder: Path, sessions: int, messages: int) -> str:
    """A home of so many short conversations and a long one, whose id it gives; in one write."""
    gateway = ScriptedGateway(ScriptedModel(otherwise="It begins."))
    talks = [*(talk(number, 2) for number in range(sessions)), talk(sessions, messages)]
    all_of_it = Belongings(  # a part has its price, however small it is
        sessions=tuple(one for made in talks for one in made.sessions),
        messages=tuple(one for made in talks for one in made.messages),
        notes=tuple(one for made in talks for one in made.notes),
    )
    async with open_in_process(folder, create=True, gateway=gateway) as runtime:
        await runtime.ledger.import_belongings([all_of_it], actor="import")
        await runtime.turns.of_session("latest", newest=1)  # ends are folded once in a home's life
    return talks[-1].sessions[0].id


async def quiet() -> None:
    """Until nothing is done in the background: what is new is read, who answers is woken."""
    calm = 0
    while calm < 2:
        begun = time.process_time()
        await asyncio.sleep(1)
        calm = calm + 1 if time.process_time() - begun < 0.05 else 0


async def full_home(folder: Path, sessions: int, messages: int) -> list[Row]:
    """What is done in a home with much in it; the first time, and the best of two more."""
    session = await fill(folder, sessions, messages)
    work = calibrated().work
    async with seated(folder) as seat:
        await quiet()
        opened = [await opening(seat, session) for _ in range(3)]
        await quiet()
        frames = await scrolling(seat)
        listed = [await switching(seat) for _ in range(3)]
        places = {one.name: [await going(seat, one.name) for _ in range(3)] for one in PLACES}
    again = {name: min(spent[1:]) for name, spent in places.items()}
    worst = max(again, key=lambda name: again[name])
    seconds = "processor seconds"
    return [
        Row(what=f"a conversation of {messages:,} messages opens, first", value=opened[0],
            unit="s", baseline=work, budget=0.5, note=seconds),
        Row(what="… again", value=min(opened[1:]), unit="s", baseline=work, budget=0.5,
            note=seconds),
        Row(what="its frames while one scrolls up, mean (30 a second)",
            value=sum(frames) / len(frames), unit="s", baseline=work, budget=1 / 30,
            note=f"{seconds}; p95 {frames[int(0.95 * len(frames))]:.3f}"),
        Row(what=f"the list of {sessions:,} conversations opens, first", value=listed[0], unit="s",
            baseline=work, budget=0.3, note=seconds),
        Row(what="… again", value=min(listed[1:]), unit="s", baseline=work, budget=0.3,
            note=seconds),
        Row(what=f"the slowest place opens again: {worst}", value=again[worst], unit="s",
            baseline=work, budget=0.2,
            note=f"{seconds}; first {max(spent[0] for spent in places.values()):.2f} at most"),
    ]  # fmt: skip


async def opening(seat: Seat, session: str) -> float:
    """From the order to show it until its end is drawn; the conversation before is an empty one."""
    listener = seat.talk._opened().listener
    assert seat.app.runtime is not None
    found = await seat.app.runtime.conversations.find(session)
    await listener.open(None)
    await seat.drawn()
    begun = time.process_time()
    await listener.open(found)
    await seat.drawn()
    return time.process_time() - begun


async def scrolling(seat: Seat) -> list[float]:
    """Up through the conversation, five lines a frame; what each took, the least first."""
    frames = []
    for _ in range(120):
        begun = time.process_time()
        seat.talk.conversation.scroll_relative(y=-5, animate=False, immediate=True)
        await seat.drawn()
        frames.append(time.process_time() - begun)
    return sorted(frames)


async def switching(seat: Seat) -> float:
    """From the key until the list and the end of its first conversation are drawn."""
    from skill_agent.tui.talk.session_list import SessionList

    await quiet()
    begun = time.process_time()
    seat.talk.action_sessions()
    await seat.until(lambda: isinstance(seat.app.screen, SessionList))
    listing = seat.app.screen
    assert isinstance(listing, SessionList)
    await seat.until(listing._answered.is_set)
    await seat.drawn()
    spent = time.process_time() - begun
    listing.dismiss(None)
    await seat.until(lambda: seat.app.screen is seat.talk)
    return spent


async def going(seat: Seat, name: str) -> float:
    """From the order to go to a place until what it has is drawn."""

    def there() -> bool:
        page = seat.app.screen
        loads = [one for one in seat.app.workers if one.node is page and one.group == "load"]
        return page is not seat.talk and page.is_running and not loads

    begun = time.process_time()
    seat.app.action_place(name)
    await seat.until(there)
    await seat.drawn()
    spent = time.process_time() - begun
    await asyncio.sleep(0.5)  # what it reads after its list
    seat.app.screen.dismiss(None)
    await seat.until(lambda: seat.app.screen is seat.talk)
    await asyncio.sleep(0.2)
    return spent


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


async def idle(folder: Path, seconds: float) -> list[Row]:
    """Of the home screen, and of the same one after a reply."""
    async with seated(folder, [REPLY.format(1)]) as seat:
        at_home = await resting(seat, seconds)
        await answered(seat)
        after = await resting(seat, seconds)
    return [
        Row(what=f"an open workstation doing nothing for {seconds:.0f} s{where}", value=spent,
            unit="s", budget=0.01 * seconds, note="processor seconds")
        for where, spent in (("", at_home), (", after a reply", after))
    ]  # fmt: skip


async def resting(seat: Seat, seconds: float) -> float:
    await quiet()
    await seat.drawn()
    begun = time.process_time()
    await asyncio.sleep(seconds)
    return time.process_time() - begun


async def answered(seat: Seat) -> None:
    """A question is asked, and its reply has ended."""
    composer = seat.talk.query_one(Composer)
    composer.text = "go"
    await seat.pilot.press("enter")
    await seat.until(lambda: seat.talk.figures.written)
    await seat.drawn()


async def imported(folder: Path) -> tuple[Row, list[str]]:
    """Modules that a first turn, its reply and the places import where keys wait."""
    watching = Imports()
    sys.meta_path.insert(0, watching)
    async with seated(folder, [REPLY.format(1)]) as seat:
        await asyncio.sleep(3)
        watching.noting = True
        await answered(seat)
        await asyncio.sleep(1)
        await switching(seat)
        for place in PLACES:
            await going(seat, place.name)
        watching.noting = False
    sys.meta_path.remove(watching)
    names = [one for one in watching.seen if one in sys.modules]
    return Row(what="modules imported on the UI thread", value=len(names), unit="", budget=0), names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        imports, names = asyncio.run(imported(home / "imports"))  # first: nothing is loaded yet
        rows = [first_paint(), imports]
        rows.append(replace(asyncio.run(keypress_echo(home / "echo")), budget=0.05))
        rows.append(asyncio.run(long_reply(options.tokens)))
        rows += asyncio.run(full_home(home / "full", options.sessions, options.messages))
        rows += asyncio.run(idle(home / "idle", 10))
    show("The workstation's screen", rows, as_json=options.json)
    for name in names:
        print(f"  imported on the UI thread: {name}", file=sys.stderr)
    sys.exit(any(row.kept is False for row in rows))


if __name__ == "__main__":
    main()
