"""Turns that outside programs answer."""

import asyncio
import hashlib
import importlib
import logging
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import ModelRejected
from skill_agent.events import Event, Notice
from skill_agent.files.home import Home
from skill_agent.ports import Clock, Ledger
from skill_agent.programs.error_log import ErrorLog
from skill_agent.settings.schema import Settings
from skill_agent.turns.hands import Brief, Hands
from skill_agent.turns.opening import Opening, RunsOutside, is_own, opened

from .folder import folder_named
from .kept import KeptSession, kept_session, note_session
from .programs import Launch, launch_of

if TYPE_CHECKING:
    from .held import Held, Wanted
    from .turn import Course

Serves = tuple[str, ...]

MOST_HELD = 8
"""Programs that are kept at a time, while they are not at work."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What turns of outside programs stand on."""

    home: Home
    settings: Settings
    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    publish: Callable[[Event], None]
    serves: Sequence[str] = ()
    """The command that serves this home over MCP; `--as AGENT` is put behind it."""


class Outside(RunsOutside):
    """Keeps a program for each conversation while it is talked to; ended with the host."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._held: dict[tuple[str, str], Held] = {}
        self._ending: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def turn(self, brief: Brief, hands: Hands, folder: str) -> AsyncGenerator[Event, None]:
        """As `RunsOutside.turn`."""
        runs = brief.agent.runs
        assert runs is not None
        launch = launch_of(runs, self._means.settings.acp)
        if not is_own(brief):
            raise ModelRejected(
                f"{launch.name} takes no tools of another program, and no form of reply",
                hint="ask an agent that runs on a model",
            )
        opening = Opening()
        async with aclosing(opened(brief, hands, opening)) as events:
            async for event in events:
                yield event
        if opening.passed:
            return
        kept = await kept_session(self._means.ledger, brief.session, brief.agent.slug)
        if kept.folder and not (hands.asker is None or hands.asker.may("admin")):
            raise ModelRejected(
                f'{launch.name} works in a folder here, and the API key lacks the scope "admin"',
                hint="begin another conversation; there it has no folder",
            )
        wanted = folder or kept.folder
        where = str(folder_named(wanted)) if wanted else ""
        serves = self._served(brief, hands)
        held = await self._ready(brief, launch, where, serves)
        if held is None:
            yield Notice(**brief.ids, level="info", text=f"starting {launch.name} …")
            held = await self._started(brief, launch, kept, where, serves)
            yield Notice(**brief.ids, level="info", text=_beginning(held))
        async with aclosing(self._with(held, brief, hands, opening)) as events:
            async for event in events:
                yield event

    def forget(self) -> None:
        """To be called once something was erased: a program has in mind what it was told. One that
        is at work is ended after its turn."""
        for key, held in [*self._held.items()]:
            held.stale = True
            if not held.busy:
                self._let_go(key)

    async def end(self) -> None:
        """Ends every program that was started, with all it started."""
        while self._held or self._ending:
            for key in [*self._held]:
                self._let_go(key)
            await asyncio.wait([*self._ending.values()])

    # -- one turn ----------------------------------------------------------------------------

    async def _with(
        self, held: "Held", brief: Brief, hands: Hands, opening: Opening
    ) -> AsyncGenerator[Event, None]:
        from .answering import Answering
        from .turn import Course, answered

        wanted = held.wanted
        root = wanted.cwd if wanted.works else None
        answering = Answering(brief, hands, wanted.launch.name, held.link.room, root)
        course = Course(brief, hands, held, answering, opening)
        held.busy = True
        silence = self._means.settings.acp.silence_timeout_s
        try:
            async with aclosing(answered(course, self._means.ledger, silence)) as events:
                async for event in events:
                    yield event
        finally:
            await self._after(course)

    async def _after(self, course: "Course") -> None:
        """The program waits for the next turn, or it is ended: nothing runs on."""
        held, key = course.held, (course.brief.session, course.brief.agent.slug)
        stopped = False
        try:
            if course.whole:
                await course.answering.close()
                stopped = held.alive and not held.stuck
            else:
                stopped = await held.stop(course.answering)
        finally:
            held.busy = False
            held.rest()
            if stopped and not held.stale:
                self._rest(key, held)
            else:
                held.link.process.kill()
                self._let_go(key)

    # -- programs ----------------------------------------------------------------------------

    def _served(self, brief: Brief, hands: Hands) -> Serves:
        """The command of our server, which knows the program as the person's own: of a turn that
        a key asked for it offers no more than that key may do."""
        own, asker = (*self._means.serves, "--as", brief.agent.slug), hands.asker
        if not brief.remembers or not (asker is None or asker.may("read")):
            return ()
        return own if asker is None or asker.may("memory") else (*own, "--read-only")

    async def _ready(
        self, brief: Brief, launch: Launch, where: str, serves: Serves
    ) -> "Held | None":
        """The one that is kept, where it still is what is wanted."""
        key = brief.session, brief.agent.slug
        held = self._held.get(key)
        if held is None:
            return None
        if held.timer is not None:
            held.timer.cancel()
        at = str(held.wanted.cwd) if held.wanted.works else ""
        same = held.wanted.launch == launch and held.wanted.serves == serves
        if held.alive and same and at == where:
            return held
        self._let_go(key)
        return None

    async def _started(
        self, brief: Brief, launch: Launch, kept: KeptSession, where: str, serves: Serves
    ) -> "Held":
        launch.whole  # noqa: B018 - what is not here is told before anything is loaded
        held_module = await asyncio.to_thread(importlib.import_module, f"{__package__}.held")
        self._make_room()
        same = kept.program == launch.name and kept.folder == where
        key = brief.session, brief.agent.slug
        if (before := self._ending.get(key)) is not None:
            await asyncio.wait([before])  # it leaves the folder that this one gets
        wanted: Wanted = held_module.Wanted(
            launch=launch,
            cwd=Path(where) if where else _private(self._means.home, *key),
            works=bool(where),
            before=kept.id if same else "",
            serves=serves,
            log=ErrorLog(self._means.home.logs / f"acp-{launch.name}.log", self._means.clock),
        )
        held: Held = await held_module.opened_session(wanted, self._means.settings.acp)
        self._held[key] = held
        now = KeptSession(id=held.session, program=launch.name, folder=where)
        if now != kept:
            await note_session(self._means.ledger, *key, now)
        return held

    def _rest(self, key: tuple[str, str], held: "Held") -> None:
        """It is ended once nobody has talked to it for long."""
        loop = asyncio.get_running_loop()
        held.used = loop.time()
        held.timer = loop.call_later(self._means.settings.acp.idle_minutes * 60, self._let_go, key)

    def _make_room(self) -> None:
        idle = sorted(
            (key for key, held in self._held.items() if not held.busy),
            key=lambda key: self._held[key].used,
        )
        for key in idle[: max(0, len(self._held) - MOST_HELD + 1)]:
            self._let_go(key)

    def _let_go(self, key: tuple[str, str]) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            task = asyncio.create_task(_closed(held), name="end of a program")
            self._ending[key] = task
            task.add_done_callback(lambda _: self._ending.pop(key))


async def _closed(held: "Held") -> None:
    try:
        await held.close()
    except Exception:  # the wall of this task
        _log.exception("%s did not end well", held.wanted.launch.name)
    if not held.wanted.works:
        shutil.rmtree(held.wanted.cwd, ignore_errors=True)


def _private(home: Home, session: str, slug: str) -> Path:
    """An empty folder of the conversation's own."""
    name = hashlib.sha256(f"{session}/{slug}".encode()).hexdigest()[:16]
    folder = home.run / "outside" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _beginning(held: "Held") -> str:
    """What the person should know of a program that begins."""
    wanted = held.wanted
    where = f"works in {wanted.cwd}" if wanted.works else "has no folder to work in (--in DIR)"
    return "; ".join(part for part in (f"{wanted.launch.name} {where}", held.about) if part)
