"""What of the servers' tools a turn is offered.

Which servers an agent may use is the person's to say, in agents.toml; which tools stand in a prompt
follows from the first message of the conversation, and from what is searched for.
"""

import asyncio
import contextlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from skill_agent.errors import SkillAgentError, ToolFailed
from skill_agent.mcp_client.calls import Connections, FoundTool, Progress, Result
from skill_agent.ports import Tool, ToolsWanted
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import ServerTool

from .borrowed import Borrowed, Sound, Used, made_sound
from .catalogue import Catalogue, all_sound, may_use
from .choosing import Meanings, Ranked, ranked
from .eliciting import NotAsked, asked, form_of
from .finding import MOST_FOUND, FindTool, Found
from .naming import LONGEST_RAW, offered_as
from .schemas import told
from .shelf import AT_FIRST, OnShelf, Shelf, UntilUsed
from .telling import Steps, notice
from .trust import Trust

if TYPE_CHECKING:
    from skill_agent.mcp_client.parts import Means

PATIENCE_S = 4.0
"""How long a turn waits for servers that are just started; what comes later is there next time."""
UNKNOWN_WINDOW = 32_768
MOST_SHELVES = 500
"""Conversations whose tools are remembered; one that was forgotten is begun anew."""
LEAST_LIKE = 0.08
"""How well a tool must fit to be found by a search."""
MOST_QUESTIONS = 5
"""That a server may put to the person in one call."""
FEW = 5
"""Tools that a small model is shown."""
SURELY, BEHIND = 0.24, 0.12
"""How well a tool must fit by itself for a small model to be shown it, and how far behind the best
beside the others."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Call:
    """One that a server works at."""

    wanted: ToolsWanted
    asked: int = 0
    """Questions it put to the person meanwhile."""


class Offering:
    """Of one home."""

    def __init__(
        self,
        means: "Means",
        connections: Connections,
        *,
        patience_s: float = PATIENCE_S,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`environ` holds what must not leave; this process's own where none is given."""
        self._means, self._connections, self._patience_s = means, connections, patience_s
        self._environ = os.environ if environ is None else environ
        self._trust = Trust(means.ledger)
        self._shelves: OrderedDict[tuple[str, str], Shelf] = OrderedDict()
        self._catalogues: dict[str, Catalogue] = {}
        self._starting: dict[str, asyncio.Task[Sequence[FoundTool]]] = {}
        self._late: set[str] = set()
        """Servers that were waited for once, and do not answer yet."""
        self._calling: dict[str, list[_Call]] = {}
        self._meanings: Meanings | None = None

    async def offered(self, wanted: ToolsWanted) -> Mapping[str, Tool]:
        """As `OffersTools`."""
        try:
            return await self._offered(wanted)
        except SkillAgentError as problem:
            _log.warning("no tools of servers: %s", problem.message)
            self._means.publish(
                notice(wanted, f"without tools of servers: {problem.message}", "warning")
            )
            return {}

    async def described(self, server: str) -> list[ServerTool]:
        """All of a server's tools as agents are told of them; raises ToolFailed."""
        catalogue = await self._catalogue(server, await self._connections.tools(server))
        await self._trust.read(one.found for one in catalogue.tools)
        return [
            ServerTool(
                server=server,
                name=told(one.found.name, LONGEST_RAW),
                offered_as=one.name,
                title=one.title,
                description=one.description,
                parameters=one.parameters,
                hints=tuple(told(hint, 40) for hint in one.found.hints[:6]),
                standing=self._trust.standing(one.found),
                problem=one.problem,
            )
            for one in catalogue.tools
        ]

    async def elicits(
        self, server: str, message: str, schema: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Puts a server's question to the person in whose turn it is called; None where nobody is
        there, or they decline."""
        calls = self._calling.get(server)
        if not calls or not (wanted := calls[-1].wanted).interactive:
            return None
        calls[-1].asked += 1
        if calls[-1].asked > MOST_QUESTIONS:
            return None
        try:
            form = form_of(schema)
        except NotAsked as why:
            text = f"the server {server} asked something that is not passed on: {why}"
            self._means.publish(notice(wanted, text, "warning"))
            return None
        wait = self._means.settings.tools.approval_timeout_s
        return await asked(self._means.asks(), wanted, server, message, form, wait)

    async def end(self) -> None:
        """Waits for no server any more."""
        tasks = [*self._starting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- a turn ------------------------------------------------------------------------------

    async def _offered(self, wanted: ToolsWanted) -> Mapping[str, Tool]:
        shelf = self._shelf(wanted)
        servers = self._servers(wanted, shelf)
        if not servers:
            return {}
        known = await self._known(wanted, servers, shelf)
        make = partial(self._borrowed, wanted)
        if wanted.small:
            return await self._for_small(wanted, known, make)
        shelf.renew(known, {one.found.server for one in known.values()})
        await self._put(wanted, shelf, known)
        await self._trust.read(one.found for one in shelf.tools.values())
        if not shelf.searching:
            return OnShelf(shelf, make)
        return OnShelf(shelf, make, FindTool(find=partial(self._find, known, shelf)))

    def _shelf(self, wanted: ToolsWanted) -> Shelf:
        key = (wanted.session, wanted.agent)
        shelf = self._shelves.pop(key, None)
        if shelf is None:
            window = wanted.window or UNKNOWN_WINDOW
            shelf = Shelf(room=int(window * self._means.settings.mcp.tools_share))
        self._shelves[key] = shelf
        while len(self._shelves) > MOST_SHELVES:
            self._shelves.popitem(last=False)
        return shelf

    def _servers(self, wanted: ToolsWanted, shelf: Shelf) -> list[str]:
        """Those the agent may use, in the order of its settings; a name of none is told once."""
        there = self._connections.names()
        named = [one.partition(":")[0].strip() for one in wanted.allowed]
        for name in named:
            if name not in there:
                meant = did_you_mean(name, there) or "see: ska mcp list"
                self._tell(wanted, shelf, f"there is no server {told(name, 40)!r} to use; {meant}")
        return [one for one in dict.fromkeys(named) if one in there]

    async def _known(
        self, wanted: ToolsWanted, servers: Sequence[str], shelf: Shelf
    ) -> dict[str, Sound]:
        """The tools it may use of those servers that are there by now, by the name they have."""
        known: dict[str, Sound] = {}
        for server, found in (await self._ready(wanted, servers, shelf)).items():
            catalogue = await self._catalogue(server, found)
            for tool in catalogue.tools:
                if tool.problem or not may_use(wanted.allowed, server, tool.found.name):
                    continue
                if (other := known.get(tool.name)) is not None:
                    tool = self._renamed(wanted, shelf, tool, other, known)
                known[tool.name] = tool
        return known

    def _renamed(
        self,
        wanted: ToolsWanted,
        shelf: Shelf,
        tool: Sound,
        other: Sound,
        known: Mapping[str, Sound],
    ) -> Sound:
        """Two servers' tools that would have one name."""
        named = made_sound(tool.found, offered_as(tool.found.server, tool.found.name, known))
        both = (f"{told(one.found.server, 40)}/{told(one.found.name, 60)}" for one in (other, tool))
        self._tell(
            wanted, shelf, f"{' and '.join(both)} have one name; the second is {named.name}", "info"
        )
        return named

    async def _put(self, wanted: ToolsWanted, shelf: Shelf, known: Mapping[str, Sound]) -> None:
        """Tools of servers that are new to the conversation, all or the likeliest."""
        servers = {one.found.server for one in known.values()}
        new = [one for one in known.values() if one.found.server not in shelf.servers]
        shelf.servers |= servers
        if not shelf.searching and shelf.fits([*known.values()]):
            shelf.fill([*known.values()])
            return
        shelf.search()
        if new:
            best = [one.tool for one in await self._ranked(wanted.words, new)]
            shelf.fill(best, AT_FIRST)

    async def _for_small(
        self,
        wanted: ToolsWanted,
        known: Mapping[str, Sound],
        make: Callable[..., Tool],
    ) -> Mapping[str, Tool]:
        """What the message clearly wants, and no search: it would call whatever it is shown."""
        order = await self._ranked(wanted.words, [*known.values()])
        if not (clear := clearly(order)):
            return {}
        room = int((wanted.window or UNKNOWN_WINDOW) * self._means.settings.mcp.tools_share)
        shelf = Shelf(room=room)
        shelf.fill(clear)
        await self._trust.read(one.found for one in clear)
        used = Used()
        return UntilUsed(OnShelf(shelf, partial(make, used=used)), used)

    async def _find(self, known: Mapping[str, Sound], shelf: Shelf, query: str) -> Found:
        order = await self._ranked(query, [*known.values()])
        found = [one.tool for one in order[:MOST_FOUND] if one.score >= LEAST_LIKE]
        await self._trust.read(one.found for one in found)
        return shelf.add(found)

    def _borrowed(self, wanted: ToolsWanted, tool: Sound, *, used: Used | None = None) -> Tool:
        steps = Steps(self._means.publish, wanted, tool.found.server, tool.found.name)
        during = partial(self._during, wanted)
        within = _Within(self._connections, during)
        return Borrowed(
            tool=tool,
            trust=self._trust,
            connections=within,
            steps=steps,
            environ=self._environ,
            used=used or Used(),
        )

    @contextmanager
    def _during(self, wanted: ToolsWanted, server: str) -> Iterator[None]:
        """Whose turn a server works for; what it asks meanwhile is asked there."""
        calls, call = self._calling.setdefault(server, []), _Call(wanted)
        calls.append(call)
        try:
            yield
        finally:
            calls.remove(call)

    def _tell(self, wanted: ToolsWanted, shelf: Shelf, text: str, level: str = "warning") -> None:
        """Once in a conversation."""
        if text not in shelf.told:
            shelf.told.add(text)
            self._means.publish(notice(wanted, text, "info" if level == "info" else "warning"))

    # -- servers -----------------------------------------------------------------------------

    async def _ready(
        self, wanted: ToolsWanted, servers: Sequence[str], shelf: Shelf
    ) -> dict[str, Sequence[FoundTool]]:
        """What those have that are there in time; the others are told, and go on starting: no
        later turn waits for them."""
        tasks = {server: self._started(server) for server in servers}
        if new := [task for server, task in tasks.items() if server not in self._late]:
            await asyncio.wait(new, timeout=self._patience_s)
        ready: dict[str, Sequence[FoundTool]] = {}
        for server, task in tasks.items():
            if not task.done():
                self._late.add(server)
                self._tell(wanted, shelf, f"{server} is still starting; without its tools", "info")
                continue
            self._starting.pop(server, None)
            self._late.discard(server)
            try:
                ready[server] = task.result()
            except SkillAgentError as problem:
                said = told(problem.message, 300)
                self._tell(wanted, shelf, f"without the tools of {server}: {said}")
            except asyncio.CancelledError:
                continue
        return ready

    def _started(self, server: str) -> "asyncio.Task[Sequence[FoundTool]]":
        """One look at a server's tools at a time, whoever waits for it."""
        task = self._starting.get(server)
        if task is None:
            task = asyncio.create_task(self._look(server), name=f"tools of {server}")
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._starting[server] = task
        return task

    async def _look(self, server: str) -> Sequence[FoundTool]:
        try:
            return await self._connections.tools(server)
        except SkillAgentError:
            raise
        except Exception as problem:
            _log.exception("the tools of %s cannot be asked for", server)
            raise ToolFailed(f"it broke ({type(problem).__name__})") from problem

    async def _catalogue(self, server: str, found: Sequence[FoundTool]) -> Catalogue:
        kept = self._catalogues.get(server)
        if kept is None or kept.found != [*found]:
            before = {one.found.digest: one for one in kept.tools} if kept else {}
            tools = await asyncio.to_thread(all_sound, found, before)
            kept = self._catalogues[server] = Catalogue([*found], tools)
        return kept

    async def _ranked(self, words: str, tools: Sequence[Sound]) -> list[Ranked]:
        """By letters alone where meaning takes too long; the next time it will be there."""
        work = asyncio.create_task(asyncio.to_thread(self._rank, words, tools))
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(work), PATIENCE_S)
        _log.info("tools are chosen by letters alone: the embedder takes too long")
        return await asyncio.to_thread(ranked, words, tools, None)

    def _rank(self, words: str, tools: Sequence[Sound]) -> list[Ranked]:
        """Blocking."""
        if self._meanings is None and self._means.embedder is not None:
            file = self._means.home.kv_cache / "tools.vectors"
            self._meanings = Meanings(self._means.embedder(), file)
        return ranked(words, tools, self._meanings)


@dataclass(frozen=True, slots=True)
class _Within(Connections):
    """Connections that know whose turn they are called in."""

    inner: Connections
    during: Callable[[str], contextlib.AbstractContextManager[None]]

    def names(self) -> list[str]:
        return self.inner.names()

    async def tools(self, server: str) -> Sequence[FoundTool]:
        return await self.inner.tools(server)

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        with self.during(server):
            return await self.inner.call(server, tool, arguments, progress=progress)

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        return self.inner.on_changed(callback)


def clearly(order: Sequence[Ranked]) -> list[Sound]:
    """The few that a small model is shown; none where none fits for sure."""
    best = order[0].score if order else 0.0
    near = [one for one in order[:FEW] if one.score >= best - BEHIND]
    return [one.tool for one in near if one.near >= SURELY]
