"""One connection to one server, by the official SDK. Loaded when the first server is started."""

import asyncio
import contextlib
import logging
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.client._transport import TransportStreams
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.shared.dispatcher import ProgressFnT
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from skill_agent import __version__
from skill_agent.errors import ToolFailed
from skill_agent.programs.error_log import ErrorLog
from skill_agent.programs.running import Running
from skill_agent.settings.schema import McpServer
from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line

from .calls import Elicits, FoundTool, Progress, Result
from .found import found_tools
from .limits import Limits
from .pace import paced
from .patience import Patience
from .pipes import over_pipes
from .process import started
from .results import result_of
from .web import Answers, over_http

_SAID_CHARS = 500
_PROGRESS_EVERY_S = 0.1

# Where nothing listens to the SDK's log, Python would print what servers cause on the screen.
logging.getLogger("mcp").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a connection is made of."""

    name: str
    server: McpServer
    folder: Path
    env: Mapping[str, str]
    log: ErrorLog
    limits: Limits
    elicits: Elicits | None
    changed: Callable[[], None]
    """Its tools are others now."""
    legacy: bool = False
    """Begin with the handshake of before: the server ended on the newer way to begin."""


class Broken(Exception):
    """The connection is no more."""


class Connection:
    """A server that answers."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._patience: set[Patience] = set()
        self._asking = asyncio.Lock()
        self._answers = Answers()
        self._client: Client | None = None
        self._process: Running | None = None
        self.ended = asyncio.Event()
        """Nothing comes from it any more."""
        self.over = asyncio.Event()
        """Its process, too, is gone, and `failure` says why where nobody wished it."""
        self.failure: ToolFailed | None = None

    @property
    def code(self) -> int | None:
        """The exit code of its process, where it has one that is gone."""
        return self._process.code if self._process else None

    @property
    def title(self) -> str:
        info = self._session.server_info
        return _line(f"{info.title or info.name} {info.version}".strip()) if info else ""

    @property
    def protocol(self) -> str:
        return _line(self._session.protocol_version or "")

    @property
    def _session(self) -> Client:
        if self._client is None:
            raise Broken
        return self._client

    @property
    def forgotten(self) -> bool:
        """It has forgotten us, and so has done nothing of what it was asked last."""
        return self._answers.forgotten

    def problem(self) -> tuple[str, str]:
        """What the way to it says of a failure, with what to do; empty where nothing is known."""
        return self._answers.problem()

    # -- beginning and ending ----------------------------------------------------------------

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Answers within; the process and all it started are gone afterwards."""
        async with AsyncExitStack() as stack:
            streams = await self._streams(stack)
            self._client = await stack.enter_async_context(self._made(streams))
            # Its own schema, with whatever patterns, would be run here against whatever it sends.
            self._client.session.validate_tool_result = _taken_as_it_is
            listening = asyncio.create_task(self._listen(), name=f"mcp {self._wanted.name}")
            try:
                yield
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                self._client = None

    async def _streams(self, stack: AsyncExitStack) -> TransportStreams:
        wanted = self._wanted
        if wanted.server.url:
            way = over_http(wanted.server, wanted.env, self._answers, wanted.limits)
        else:
            self._process = await started(wanted.server, wanted.folder, wanted.env, wanted.log)
            way = over_pipes(self._process, wanted.log, wanted.limits)
        reads, writes = await stack.enter_async_context(way)
        slow = await stack.enter_async_context(paced(reads, wanted.limits, self.ended))
        return slow, writes

    def _made(self, streams: TransportStreams) -> Client:
        return Client(
            _Given(streams),
            mode="legacy" if self._wanted.legacy else "auto",
            message_handler=self._heard,
            elicitation_callback=self._elicited if self._wanted.elicits else None,
            client_info=types.Implementation(name="skill-agent", version=__version__),
            cache=None,
        )

    # -- asking ------------------------------------------------------------------------------

    async def tools(self, within_s: float) -> tuple[list[FoundTool], bool]:
        """All its tools, and whether there are more than are kept; raises TimeoutError, Broken,
        ToolFailed."""
        limits, name = self._wanted.limits, self._wanted.name
        if self._session.server_capabilities.tools is None:
            return [], False
        listed: list[types.Tool] = []
        cursor: str | None = None
        with _told(name):
            async with asyncio.timeout(within_s):
                for _ in range(limits.pages):
                    page = await self._session.list_tools(cursor=cursor)
                    listed += page.tools[: limits.tools + 1 - len(listed)]
                    cursor = page.next_cursor
                    if not cursor or len(listed) > limits.tools:
                        break
        more = bool(cursor) or len(listed) > limits.tools
        return await asyncio.to_thread(found_tools, name, listed, limits), more

    async def call(
        self, tool: str, arguments: dict[str, Any], progress: Progress, within_s: float
    ) -> Result:
        """Raises TimeoutError once it has given no sign for so long, Broken, ToolFailed."""
        limits = self._wanted.limits
        with _told(self._wanted.name):
            async with Patience(within_s, limits.most_patience) as patience:
                self._patience.add(patience)
                try:
                    answer = await self._session.call_tool(
                        tool, arguments, progress_callback=_telling(progress, patience)
                    )
                finally:
                    self._patience.discard(patience)
        return await asyncio.to_thread(result_of, answer, limits.text_chars)

    async def answers(self) -> bool:
        """Whether it still answers at all."""
        session = self._session.session
        version = session.protocol_version or ""
        try:
            async with asyncio.timeout(self._wanted.limits.ping_s):
                if version in MODERN_PROTOCOL_VERSIONS:
                    await session.send_discover(version)
                else:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        await session.send_ping()
        except MCPError as error:
            return error.code not in (types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT)
        except Exception:
            return False
        return True

    # -- what it says and asks of itself -----------------------------------------------------

    async def _heard(self, message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._wanted.changed()

    async def _listen(self) -> None:
        """On the newer protocol it tells of changes only to who listens."""
        session = self._session
        told = session.server_capabilities.tools
        if session.protocol_version not in MODERN_PROTOCOL_VERSIONS or not told:
            return
        try:
            async with session.listen(tools_list_changed=True) as events:
                async for _ in events:
                    self._wanted.changed()
        except Exception as problem:  # it need not offer that, and may end it
            await self._wanted.log.note(f"it tells of no changes: {type(problem).__name__}")

    async def _elicited(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """A question for the person; none outside of a call, and one at a time."""
        elicits, log = self._wanted.elicits, self._wanted.log
        if elicits is None or isinstance(params, types.ElicitRequestURLParams):
            await log.note("it asked to have an address opened: declined")
            return types.ElicitResult(action="decline")
        waiting = tuple(self._patience)
        asked = max((patience.ask() for patience in waiting), default=0)
        if not 0 < asked <= self._wanted.limits.questions:
            why = "in one call" if asked else "while nobody used it"
            await log.note(f"it asked too much {why}: declined")
            return types.ElicitResult(action="decline")
        schema = params.model_dump(by_alias=True, mode="json", exclude_none=True)["requestedSchema"]
        for patience in waiting:
            patience.hold()
        try:
            async with self._asking:
                said = printable(params.message[: self._wanted.limits.description_chars])
                given = await elicits(self._wanted.name, said, schema)
        finally:
            for patience in waiting:
                patience.go_on()
        if given is None:
            return types.ElicitResult(action="decline")
        return types.ElicitResult(action="accept", content=given)


class _Given:
    """Streams that are open already, as the SDK takes them."""

    def __init__(self, streams: TransportStreams) -> None:
        self._streams = streams

    async def __aenter__(self) -> TransportStreams:
        return self._streams

    async def __aexit__(self, *_: object) -> None:
        """Whoever opened them closes them."""


async def _taken_as_it_is(name: str, result: types.CallToolResult) -> None:
    pass


def _telling(tell: Progress, patience: Patience) -> ProgressFnT:
    """Each sign gives the call more time; not each is told."""
    loop = asyncio.get_running_loop()
    told = float("-inf")

    async def came(progress: float, total: float | None, message: str | None) -> None:
        nonlocal told
        patience.sign()
        if loop.time() - told >= _PROGRESS_EVERY_S:
            told = loop.time()
            tell(progress, total, _line(message or ""))

    return came


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever the SDK raises as what a caller can do something with."""
    try:
        yield
    except MCPError as error:
        if error.code == types.CONNECTION_CLOSED:
            raise Broken from None
        if error.code == types.REQUEST_TIMEOUT:
            raise TimeoutError from None
        raise ToolFailed(f"{name}: {_line(error.message)}", hint=f"ska mcp tools {name}") from None
    except (TimeoutError, Broken, ToolFailed):
        raise
    except Exception as error:  # what it sent was not what the protocol says
        said = _line(f"{type(error).__name__}: {error}")
        raise ToolFailed(
            f"{name} answered what cannot be used: {said}", hint=f"ska mcp logs {name}"
        ) from None


def _line(text: str) -> str:
    return one_line(printable(text[: 4 * _SAID_CHARS]), _SAID_CHARS)
