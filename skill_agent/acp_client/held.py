"""A program that is kept for one conversation, and its session there."""

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acp.schema import (
    LoadSessionResponse,
    NewSessionResponse,
    PromptResponse,
    ResumeSessionResponse,
)

from skill_agent.errors import ModelError, ModelUnavailable
from skill_agent.programs.environment import PROXIES, environment
from skill_agent.programs.error_log import ErrorLog
from skill_agent.programs.running import Running, start
from skill_agent.settings.schema import AcpSettings

from .answering import Answering
from .connection import Link, shown
from .pipe import MOST_BYTES
from .programs import Launch
from .requests import Requests

CANCEL_S = 2.0
"""A program that is told to stop may take so long to do it."""
_MODES = ("mode", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be started, and where."""

    launch: Launch
    cwd: Path
    works: bool
    """It reaches `cwd` through us; otherwise that is a private, empty folder."""
    before: str
    """The program's id of an earlier session to go on with; "" for a new one."""
    serves: Sequence[str]
    """The command of our own MCP server, as this agent; none where it may see nothing of it."""
    log: ErrorLog


class Held:
    """One program with one session."""

    def __init__(self, wanted: Wanted, link: Link, requests: Requests) -> None:
        self.wanted, self.link, self._requests = wanted, link, requests
        self.session, self.fresh, self.about = "", True, ""
        self.cost = 0.0
        """US dollars the program told of until now."""
        self.used = 0.0
        self.busy = self.stuck = self.stale = False
        """Whether a turn runs on it; whether it was told to stop and does not; whether it knows
        what was erased since."""
        self.timer: asyncio.TimerHandle | None = None
        self._asked: asyncio.Future[PromptResponse] | None = None

    @property
    def alive(self) -> bool:
        return self.link.process.code is None

    @property
    def sees(self) -> bool:
        able = self.link.told.agent_capabilities
        return bool(able and able.prompt_capabilities and able.prompt_capabilities.image)

    @property
    def silence(self) -> float:
        """Seconds since it last said anything."""
        return time.monotonic() - self._requests.heard

    async def begin(self, seconds: float) -> None:
        """Goes on with the earlier session where the program can, else begins one."""
        wanted = self.wanted
        asked: dict[str, Any] = {"cwd": str(wanted.cwd), "mcpServers": _served(wanted.serves)}
        if wanted.before and await self._resumed(asked, seconds):
            self.session = self._requests.session = wanted.before
            self.fresh = False
            return
        made = await self.link.request("session/new", asked, NewSessionResponse, seconds)
        self.session = self._requests.session = made.session_id
        self.about = _about(made)

    async def _resumed(self, asked: dict[str, Any], seconds: float) -> bool:
        able = self.link.told.agent_capabilities
        if able is None:
            return False
        asked = {**asked, "sessionId": self.wanted.before}
        with suppress(ModelError):  # it may have forgotten it
            if able.session_capabilities and able.session_capabilities.resume is not None:
                await self.link.request("session/resume", asked, ResumeSessionResponse, seconds)
                return True
            if able.load_session:
                await self.link.request("session/load", asked, LoadSessionResponse, seconds)
                return True
        if not self.alive:
            raise await self.link.broken()
        return False

    def prompt(self, answering: Answering, blocks: list[dict[str, Any]]) -> None:
        """Asks; what comes of it comes to `answering`, in the end a None."""
        self._requests.turn, self._requests.heard = answering, time.monotonic()
        asked = {"sessionId": self.session, "prompt": blocks}
        self._asked = asyncio.ensure_future(self.link.ask("session/prompt", asked, PromptResponse))
        self._asked.add_done_callback(lambda _: answering.events.put_nowait(None))

    async def ended(self) -> PromptResponse | None:
        """How the prompt ended, or raises why it did not; None while it goes on."""
        if self._asked is None or not self._asked.done():
            return None
        return await self._asked

    async def stop(self, answering: Answering) -> bool:
        """Ends what it does: it is asked to, and nothing is granted any more. Whether it did."""
        await answering.close()
        if self._asked is None or not self.alive:
            return self.alive
        try:
            async with asyncio.timeout(CANCEL_S):
                await self.link.tell("session/cancel", {"sessionId": self.session})
                await asyncio.wait([self._asked])
        except TimeoutError:
            self.stuck = True
            return False
        return not self._asked.cancelled() and self._asked.exception() is None

    def rest(self) -> None:
        """Nothing it says is heard until it is asked again."""
        self._requests.turn = None

    async def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.rest()
        await self.link.close()
        if self._asked is not None:
            self._asked.cancel()
            with suppress(asyncio.CancelledError, ModelError):
                await self._asked


async def opened_session(wanted: Wanted, settings: AcpSettings) -> Held:
    """A started program with a session; raises ModelUnavailable where there is none to be had, and
    leaves nothing running then."""
    requests = Requests()
    held = Held(wanted, Link(wanted.launch, await _started(wanted), requests), requests)
    try:
        seconds = settings.start_timeout_s
        await held.link.greet(seconds, works_in_folder=wanted.works)
        await held.begin(seconds)
    except BaseException as problem:
        await asyncio.shield(held.close())
        if isinstance(problem, ModelError) and not isinstance(problem, ModelUnavailable):
            raise ModelUnavailable(problem.message, hint=problem.hint) from None
        raise
    return held


async def _started(wanted: Wanted) -> Running:
    command, named = wanted.launch.whole, wanted.launch.env
    wanted.log.begin([os.environ[name] for name in named if name in os.environ])
    env = environment((*PROXIES, *named))
    try:
        return await start(command, cwd=wanted.cwd, env=env, log=wanted.log, most_bytes=MOST_BYTES)
    except OSError as error:
        raise ModelUnavailable(f"{command[0]} cannot be started: {error.strerror}") from None


def _served(command: Sequence[str]) -> list[dict[str, Any]]:
    if not command:
        return []
    return [{"name": "ska", "command": command[0], "args": [*command[1:]], "env": []}]


def _about(made: NewSessionResponse) -> str:
    """Model and mode, as newer and older programs tell them."""
    found: dict[str, str] = {}
    if made.modes is not None:
        found["mode"] = made.modes.current_mode_id
    for one in made.config_options or ():
        name = one.category or one.id
        if name in _MODES and isinstance(one.current_value, str):
            found[name] = one.current_value
    return ", ".join(f"{name} {shown(found[name])}" for name in ("model", "mode") if name in found)
