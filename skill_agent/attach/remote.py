"""The workstation of another process: one generic way to call any operation of the table.

What happens when that process goes away is not decided here; it is told as HostGone.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from skill_agent.errors import Closing, ModelUnavailable, SkillAgentError, UsageError
from skill_agent.events import Event
from skill_agent.events import kinds as events
from skill_agent.events.bus import Gap
from skill_agent.values import HomeInfo, Session
from skill_agent.values.backoff import Backoff
from skill_agent.workstation import Operation, wire

from . import calls
from .calls import Arguments
from .remote_errors import HostGone, error_of
from .transport import Line

PAGE, PAGE_AT_HOME = 100, 2_000
HELLO_S = 5.0
"""How long a host may take to say who it is; one that is busy is no dead one."""
_PAUSES = Backoff(0.1, 5.0)


@dataclass(frozen=True, slots=True)
class Here:
    """The stream is open: nothing is missed that follows the id."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the id to go on after; empty where the stream cannot be resumed."""

    event: Event
    id: str = ""


Told = Here | Heard | Gap


class Backend(Protocol):
    """What a remote workstation speaks to: another process's, or this one's own."""

    @property
    def info(self) -> HomeInfo: ...
    @property
    def here(self) -> bool:
        """It runs in this process."""
        ...

    async def call(self, operation: Operation, arguments: Arguments) -> Any:
        """Raises what the operation raises, and HostGone."""
        ...

    def told(
        self, *, session: str | None, turn: str | None, after: str
    ) -> AsyncGenerator[Told, None]:
        """Events, `Here` first; ends or raises HostGone when nothing more will come."""
        ...

    async def lives(self) -> bool:
        """The same host still answers."""
        ...

    async def until_stopped(self) -> None:
        """Returns once this process, as host, was asked to end."""
        ...

    async def close(self) -> None: ...


class Remote:
    """Another process's workstation."""

    here: Literal[False] = False

    def __init__(self, line: Line, info: HomeInfo) -> None:
        self.line, self.info = line, info

    async def call(self, operation: Operation, arguments: Arguments) -> Any:
        """Sends, decodes; follows a listing's pages as far as the caller wants it."""
        if operation.route.local and not self.line.local:
            raise UsageError(
                f"{operation.id} works only on the machine of the home",
                hint=f"run it there, not through {self.line.at}",
            )
        if operation.route.verb == "GET" and calls.is_listing(operation):
            return await self._listed(operation, arguments)
        if "{ref}" in operation.route.path and not calls.fits_path(arguments["ref"]):
            arguments = {**arguments, "ref": await self._id_of(arguments["ref"])}
        progress = arguments.get("progress")
        request = calls.request_for(operation, arguments, agent=self.info.default_agent)
        if calls.takes_progress(operation) and (progress or not self.line.local):
            return calls.answered(operation, await self._followed(request, progress))
        return calls.answered(operation, await self._sent(request))

    async def _id_of(self, ref: str) -> str:
        """The id of a conversation whose name no path can hold."""
        found = await self.line.call("GET", "/v1/find/conversation", query=[("ref", ref)])
        return wire.decode(found, Session).id

    async def _sent(self, request: calls.Request) -> bytes:
        return await self.line.call(
            request.verb, request.path, query=request.query, body=request.body, key=request.key
        )

    async def _listed(self, operation: Operation, arguments: Arguments) -> list[Any]:
        paging, rest = calls.paging_for(operation, arguments)
        if paging.last:
            rest["last"] = paging.last
        request = calls.request_for(operation, rest, agent=self.info.default_agent)
        wanted = None if paging.most is None or paging.last else paging.most + paging.skip
        items: list[Any] = []
        cursor: str | None = "" if paging.last else paging.cursor
        most = PAGE_AT_HOME if self.line.local else PAGE
        while cursor is not None and (wanted is None or len(items) < wanted):
            left = most if wanted is None else min(most, wanted - len(items))
            query = [*request.query, ("limit", str(left))]
            if cursor:
                query.append(("cursor", cursor))
            body = await self.line.call(request.verb, request.path, query=query)
            page = calls.page(operation, body)
            items += page.items
            cursor = page.cursor
        return items[paging.skip : wanted]

    async def _followed(self, request: calls.Request, progress: Any) -> bytes:
        """The result at the end of a stream that tells how far the work is."""
        async with self.line.stream(
            request.verb,
            request.path,
            query=request.query,
            body=request.body,
            key=request.key,
        ) as frames:
            async for frame in frames:
                if frame.event == "progress" and progress is not None:
                    said = json.loads(frame.data)
                    progress(said["done"], said["total"], said["what"])
                elif frame.event == "result":
                    return frame.data
                elif frame.event == "error":
                    raise error_of(500, frame.data)
        raise HostGone("the work's stream ended before its result", sent=True)

    async def told(
        self, *, session: str | None, turn: str | None, after: str
    ) -> AsyncGenerator[Told, None]:
        """The host's events; ends when it closes. Raises what the host says where it does not let
        us listen any more: the API key was revoked or has run out."""
        named = (("session", session), ("turn", turn))
        query = [(name, value) for name, value in named if value is not None]
        async with self.line.stream("GET", "/v1/events", query=query, after=after) as frames:
            async for frame in frames:
                if frame.comment or not frame.event:
                    yield Here(frame.id or "")
                elif frame.event == "closing":
                    return
                elif frame.event == "error":
                    raise error_of(401, frame.data)
                elif frame.event == "gap":
                    yield Gap(json.loads(frame.data)["reason"])
                elif event := _event(frame.data):
                    yield Heard(event, frame.id or "")

    async def lives(self) -> bool:
        try:
            return (await _said_hello(self.line)).epoch == self.info.epoch
        except (HostGone, SkillAgentError):
            return False

    async def until_stopped(self) -> None:
        await asyncio.Event().wait()  # another process is the host

    async def close(self) -> None:
        await self.line.close()


class Local:
    """This process's own workstation, after it has become the host."""

    here = True

    def __init__(self, station: Any, info: HomeInfo, ending: AsyncExitStack) -> None:
        """`ending` closes the workstation and whatever was opened with it."""
        self.station, self.info, self._ending = station, info, ending

    async def call(self, operation: Operation, arguments: Arguments) -> Any:
        return await operation.of(self.station)(**arguments)

    async def told(
        self, *, session: str | None, turn: str | None, after: str
    ) -> AsyncGenerator[Told, None]:
        """Events of our own bus; another host's numbers mean nothing on it."""
        with self.station.turns.subscribe(session=session, turn=turn) as heard:
            yield Here()
            async with aclosing(heard.numbered()) as entries:
                async for entry in entries:
                    yield entry if isinstance(entry, Gap) else Heard(entry.event)

    async def lives(self) -> bool:
        return True

    async def until_stopped(self) -> None:
        await self.station.until_stopped()

    async def close(self) -> None:
        await self._ending.aclose()


def _event(data: bytes) -> Event | None:
    """The event of a frame; None for one that only a newer version knows."""
    try:
        return events.from_json(json.loads(data))
    except (ValueError, TypeError, KeyError):
        return None


async def _said_hello(line: Line) -> HomeInfo:
    return wire.decode(await line.call("GET", "/v1/home", patience_s=HELLO_S), HomeInfo)


async def attach(line: Line) -> Remote:
    """The workstation behind a line; raises HostGone where nobody answers, and what it refuses."""
    try:
        return Remote(line, await _said_hello(line))
    except wire.WireError as error:
        raise SkillAgentError(
            f"what answers at {line.at} is no skill-agent of this version ({error})",
            hint="ska status",
        ) from error


def again(make: Callable[[], Line], *, seconds: float = 60.0) -> Callable[[], Awaitable[Remote]]:
    """A recovery for a home that only the network leads to: tries for so long, less and less often.

    It raises ModelUnavailable where nobody answered.
    """

    async def recover() -> Remote:
        clock = asyncio.get_running_loop().time
        until, failures = clock() + seconds, 0
        while True:
            line = make()
            try:
                return await attach(line)
            except (HostGone, Closing) as gone:
                await line.close()
                failures += 1
                pause = _PAUSES.after(failures)
                if clock() + pause > until:
                    raise unreachable(line.at, str(gone)) from gone
            except BaseException:
                await line.close()
                raise
            await asyncio.sleep(pause)

    return recover


def unreachable(at: str, why: str) -> SkillAgentError:
    return ModelUnavailable(
        f"nobody answers at {at} ({why})", hint="is the host up? there: ska status"
    )
