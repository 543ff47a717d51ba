"""One server through its life: started when it is needed, kept warm, started again, ended."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.errors import ToolFailed
from skill_agent.ports import Clock
from skill_agent.programs.error_log import ErrorLog
from skill_agent.programs.running import in_words
from skill_agent.settings.schema import McpServer, McpSettings
from skill_agent.values import ServerState

from .calls import Elicits, FoundTool, Progress, Result
from .limits import Limits

if TYPE_CHECKING:
    from .connection import Connection

_LAST_WORDS = 3
_ENDING_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every server of a home has of it."""

    folder: Path
    """Where each that names no folder has one of its own."""
    logs: Path
    env: Mapping[str, str]
    clock: Clock
    limits: Limits
    elicits: Elicits | None
    changed: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a server stands."""

    state: ServerState = "stopped"
    since: datetime | None = None
    problem: str = ""
    hint: str = ""
    title: str = ""
    protocol: str = ""


class Keeper:
    """The connection to a server is a task of its own; who uses it waits until it is there."""

    def __init__(
        self, name: str, server: McpServer, mcp: McpSettings, around: Surroundings
    ) -> None:
        self.name, self.server = name, server
        self.standing = Standing()
        self.mcp, self._around = mcp, around
        self.log = ErrorLog(around.logs / f"mcp-{name}.log", around.clock)
        self._live: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Connection] | None = None
        self._stop = asyncio.Event()
        self._tools: list[FoundTool] | None = None
        self._listing = asyncio.Lock()
        self._change = 0
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._breaks = 0
        self._again = 0.0
        self._legacy = False

    def known_tools(self) -> int:
        """How many it has, as far as it was asked."""
        return len(self._tools or ())

    # -- using it ----------------------------------------------------------------------------

    async def tools(self) -> list[FoundTool]:
        """Kept until it says that they changed, or is started anew."""
        async with self._listing:
            if self._tools is not None and self._live is not None:
                self._used()
                return self._tools
            with self._in_use():
                connection, change = await self._connection(), self._change
                try:
                    found, more = await connection.tools(self.mcp.start_timeout_s)
                except Exception as problem:
                    raise await self._as_told(problem, connection, "told its tools") from None
            if change == self._change:
                self._tools = found
            most = self._around.limits.tools
            told = f"it has more than {most:,} tools; the first {most:,} are kept" if more else ""
            if self.standing.state == "running":
                self.standing = replace(self.standing, problem=told)
            return found

    async def call(
        self, tool: str, arguments: dict[str, Any], progress: Progress, *, again: bool = True
    ) -> Result:
        with self._in_use():
            connection, seconds = await self._connection(), self.mcp.call_timeout_s
            try:
                result = await connection.call(tool, arguments, progress, seconds)
            except Exception as problem:
                told = await self._as_told(problem, connection, f"answered {tool}")
                if not (again and connection.forgotten):
                    raise told from None
                return await self.call(tool, arguments, progress, again=False)
        self._breaks = 0
        return result

    async def test(self) -> None:
        """As if it had never failed; raises ToolFailed."""
        self._breaks, self._again = 0, 0.0
        live = self._live
        if live is not None and not await live.answers():
            await self.end()
        self._tools = None
        await self.tools()

    async def end(self) -> None:
        """Ends it, and all that it started; it is started again when it is needed."""
        task = self._task
        self._idle_not()
        if task is None:
            return
        self._stop.set()
        if self._live is None:
            task.cancel()
        await asyncio.wait({task}, timeout=_ENDING_S)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_ENDING_S)

    # -- having it ---------------------------------------------------------------------------

    async def _connection(self) -> "Connection":
        """The one that is there, or a new one, which all that want it wait for together."""
        while True:
            going = self._stop.is_set() or (self._live is not None and self._live.ended.is_set())
            if self._live is not None and not going:
                return self._live
            if self._live is not None and self._task is not None:
                await asyncio.wait({self._task})
                continue
            if self._task is None:
                await self._rest()
            if self._task is None:
                self._begin()
            assert self._ready is not None
            return await asyncio.shield(self._ready)

    async def _rest(self) -> None:
        """Raises ToolFailed while it is not to be started again."""
        if not self._breaks:
            return
        waits, last = self._around.limits.waits_s, self.standing
        if self._breaks > len(waits):
            hint = f"{last.hint}; then ska mcp test {self.name}" if last.hint else ""
            raise ToolFailed(
                f"{self.name} failed {self._breaks} times in a row and is left alone: "
                f"{last.problem}",
                hint=hint or f"ska mcp logs {self.name}; ska mcp test {self.name} tries again",
            )
        left = self._again - asyncio.get_running_loop().time()
        if left > self._around.limits.waited_for_s:
            raise ToolFailed(
                f"{self.name} failed: {last.problem}; it is started again in {left:.0f} s",
                hint=last.hint or f"ska mcp logs {self.name}",
            )
        if left > 0:
            await asyncio.sleep(left)

    def _begin(self) -> None:
        self._stop = asyncio.Event()
        self._ready = asyncio.get_running_loop().create_future()
        self._ready.add_done_callback(_looked_at)
        self._task = asyncio.create_task(self._run(self._ready), name=f"mcp {self.name}")

    async def _run(self, ready: "asyncio.Future[Connection]") -> None:
        """From its start to its end."""
        self._to("starting")
        begun = asyncio.get_running_loop().time()
        try:
            # A second or two, in which the host goes on answering.
            await asyncio.to_thread(import_module, f"{__package__}.connection")
            await self._lived_in_either_way(ready)
        except asyncio.CancelledError:
            self._to("stopped")
            self._answer(ready, ToolFailed(f"{self.name} was ended"))
            raise
        except Exception as problem:
            told = problem if isinstance(problem, ToolFailed) else ToolFailed(_kind(problem))
            steady = asyncio.get_running_loop().time() - begun >= self._around.limits.steady_s
            self._broke(told, steady=ready.done() and steady)
            self._answer(ready, self._failure())
        else:
            self._to("stopped")
        finally:
            self._live = self._task = None
            self._forget_tools()

    async def _lived_in_either_way(self, ready: "asyncio.Future[Connection]") -> None:
        """Some end on a beginning that they do not know: those are begun with as of old."""
        before = self._legacy
        try:
            await self._lived(ready)
        except ToolFailed:
            if before or not self._legacy:
                self._legacy = False
                raise
            await self._lived(ready)

    async def _lived(self, ready: "asyncio.Future[Connection]") -> None:
        from .connection import Broken, Connection

        connection = Connection(self._wanted())
        try:
            await self._held(connection, ready)
            if not self._stop.is_set():
                raise Broken
        except Exception as problem:
            connection.failure = self._explained(problem, connection, begun=ready.done())
            raise connection.failure from None
        finally:
            connection.over.set()

    async def _held(self, connection: "Connection", ready: "asyncio.Future[Connection]") -> None:
        """Open, until it breaks off or is not wanted any more."""
        seconds = self.mcp.start_timeout_s
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(seconds):
                    await stack.enter_async_context(connection.opened())
            except TimeoutError:
                raise ToolFailed(
                    f"it did not answer within {seconds:g} s", hint=f"ska mcp logs {self.name}"
                ) from None
            self._live = connection
            self._to("running", title=connection.title, protocol=connection.protocol)
            ready.set_result(connection)
            self._used()
            await _either(self._stop, connection.ended)

    def _wanted(self) -> Any:
        from .connection import Wanted

        around = self._around
        return Wanted(
            name=self.name,
            server=self.server,
            folder=around.folder / self.name,
            env=around.env,
            log=self.log,
            limits=around.limits,
            elicits=around.elicits,
            changed=self._forget_tools,
            legacy=self._legacy,
        )

    # -- what went wrong ---------------------------------------------------------------------

    def _explained(
        self, problem: BaseException, connection: "Connection", *, begun: bool
    ) -> ToolFailed:
        """The failure of a start, or of the connection, in words, with what is known of it."""
        problem = _plain(problem)
        told, hint = connection.problem()
        if isinstance(problem, ToolFailed):
            return problem
        if told:
            return ToolFailed(told, hint=hint)
        if self.server.url:
            return ToolFailed(
                f"it cannot be reached: {_kind(problem)}", hint="see its url, and that it runs"
            )
        if connection.code is None:
            return ToolFailed(f"it broke off: {_kind(problem)}", hint=f"ska mcp logs {self.name}")
        if not begun:
            self._legacy = not self._legacy
        words = "; ".join(self.log.last[-_LAST_WORDS:])
        unset = [name for name in self.server.env if not self._around.env.get(name)]
        hint = f"not set where the host runs: {', '.join(unset)}" if unset else ""
        said = in_words(connection.code) + (f": {words}" if words else "")
        return ToolFailed(said, hint=hint or f"ska mcp logs {self.name}")

    async def _as_told(
        self, problem: BaseException, connection: "Connection", what: str
    ) -> ToolFailed:
        """The failure of a request; a server that does not answer any more is ended."""
        from .connection import Broken

        name, problem = self.name, _plain(problem)
        told, hint = connection.problem()
        if isinstance(problem, ToolFailed) and not (self.server.url and told):
            return problem
        if isinstance(problem, TimeoutError):
            if await connection.answers():
                return ToolFailed(
                    f"{name} has not {what} in time; it still runs",
                    hint="ask for less, or raise mcp.call_timeout_s in config.toml",
                )
            connection.ended.set()
            await _over(connection)
            return ToolFailed(
                f"{name} has not {what} in time, nor does it answer at all; it was ended",
                hint=f"ska mcp logs {name}",
            )
        if isinstance(problem, Broken) or told:
            connection.ended.set()
            await _over(connection)
            why = connection.failure or ToolFailed("it was ended")
            return ToolFailed(
                f"{name} has not {what}: {told or why.message}",
                hint=hint or why.hint or f"ska mcp logs {name}",
            )
        return ToolFailed(f"{name} has not {what}: {_kind(problem)}", hint=f"ska mcp logs {name}")

    def _broke(self, problem: ToolFailed, *, steady: bool) -> None:
        waits = self._around.limits.waits_s
        self._breaks = 1 if steady else self._breaks + 1
        wait = waits[min(self._breaks, len(waits)) - 1]
        self._again = asyncio.get_running_loop().time() + wait
        self._to("failed", problem=problem.message, hint=problem.hint)

    def _failure(self) -> ToolFailed:
        last = self.standing
        return ToolFailed(
            f"{self.name} cannot be used: {last.problem}",
            hint=last.hint or f"ska mcp logs {self.name}",
        )

    def _answer(self, ready: "asyncio.Future[Connection]", problem: ToolFailed) -> None:
        if not ready.done():
            ready.set_exception(problem)

    def _to(self, state: ServerState, **more: Any) -> None:
        kept = {"title": self.standing.title, "protocol": self.standing.protocol}
        self.standing = Standing(state=state, since=self._around.clock(), **{**kept, **more})

    # -- warm, idle, changed -----------------------------------------------------------------

    def _forget_tools(self) -> None:
        """They are asked for anew; told once, however often a server says so."""
        self._change += 1
        if self._tools is not None:
            self._tools = None
            self._around.changed(self.name)

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        self._users += 1
        self._idle_not()
        try:
            yield
        finally:
            self._users -= 1
            self._used()

    def _used(self) -> None:
        """From now on it is idle, unless somebody uses it."""
        self._idle_not()
        if self._users == 0 and self._live is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.mcp.idle_minutes * 60, self._stop.set)

    def _idle_not(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _over(connection: "Connection") -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ENDING_S):
            await connection.over.wait()


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _looked_at(ready: "asyncio.Future[Connection]") -> None:
    """A failure that nobody waits for any more is no matter for the log of the loop."""
    if not ready.cancelled():
        ready.exception()


def _plain(problem: BaseException) -> BaseException:
    """The first failure of a group of them."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


def _kind(problem: BaseException) -> str:
    from skill_agent.text.printing import printable
    from skill_agent.text.redaction import masked
    from skill_agent.text.shaping import one_line

    said = one_line(masked(printable(str(problem)[:1_000])), 300)
    return said or type(problem).__name__
