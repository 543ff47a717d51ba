"""A started program that was greeted, and requests to it that always come to an end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from acp import PROTOCOL_VERSION, RequestError
from acp.connection import Connection
from acp.schema import InitializeResponse
from pydantic import BaseModel, ValidationError

from skill_agent.errors import ModelFailed, ModelUnavailable, SkillAgentError
from skill_agent.programs.running import Running
from skill_agent.text.gate import tamed_line
from skill_agent.text.printing import printable
from skill_agent.text.redaction import redact

from .pipe import Pipe
from .programs import Launch

Handler = Callable[[str, Any, bool], Awaitable[Any]]
Answer = TypeVar("Answer", bound=BaseModel)

AUTH_REQUIRED = -32000
NOT_FOUND = -32601
_LONGEST_TOLD = 300
_CLIENT = {"name": "skill-agent", "title": "skill-agent", "version": "1"}


class Link:
    """One running program."""

    def __init__(self, launch: Launch, process: Running, handler: Handler) -> None:
        self._launch, self.process = launch, process
        self._pipe = Pipe(process)
        self._connection = Connection(handler, self._pipe)
        self.told = InitializeResponse(protocol_version=PROTOCOL_VERSION)

    @property
    def room(self) -> asyncio.Event:
        return self._pipe.room

    async def greet(self, seconds: float, *, works_in_folder: bool) -> None:
        """Raises ModelUnavailable where it is not ready in time, or speaks another language."""
        asked = {
            "protocolVersion": PROTOCOL_VERSION,
            "clientInfo": _CLIENT,
            "clientCapabilities": {
                "fs": {"readTextFile": works_in_folder, "writeTextFile": works_in_folder},
                "terminal": works_in_folder,
            },
        }
        self.told = await self.request("initialize", asked, InitializeResponse, seconds)
        if self.told.protocol_version != PROTOCOL_VERSION:
            raise ModelUnavailable(
                f"{self._launch.name} speaks version {self.told.protocol_version} of the Agent "
                f"Client Protocol, and only {PROTOCOL_VERSION} is known here",
                hint=self._launch.get,
            )

    async def request(
        self, method: str, asked: dict[str, Any], answer: type[Answer], seconds: float
    ) -> Answer:
        """Raises ModelUnavailable for what a start comes to."""
        try:
            async with asyncio.timeout(seconds):
                return await self.ask(method, asked, answer)
        except TimeoutError:
            said = self._odd_line()
            raise ModelUnavailable(
                f"{self._launch.name} did not answer {method} within {seconds:g} s{said}",
                hint=f"see the log of it (acp-{self._launch.name}.log), or raise "
                "acp.start_timeout_s in config.toml",
            ) from None
        except ModelFailed as problem:
            raise ModelUnavailable(problem.message, hint=problem.hint) from None

    async def ask(self, method: str, asked: dict[str, Any], answer: type[Answer]) -> Answer:
        """Waits as long as it takes; raises ModelFailed where the program breaks off or answers
        what nobody can read, ModelUnavailable where it wants a login."""
        try:
            found = await self._connection.send_request(method, asked)
            return answer.model_validate(found if isinstance(found, dict) else {})
        except RequestError as problem:
            raise self._refused(method, problem) from None
        except ValidationError:
            raise ModelFailed(
                f"{self._launch.name} answered {method} with what is no answer to it",
                hint=self._launch.get,
            ) from None
        except (ConnectionError, OSError, RuntimeError):
            raise await self.broken() from None

    async def tell(self, method: str, told: dict[str, Any]) -> None:
        """One that is gone is told nothing."""
        with suppress(ConnectionError, OSError, RuntimeError):
            await self._connection.send_notification(method, told)

    async def broken(self) -> ModelFailed:
        """Why the program cannot go on."""
        if problem := self._pipe.problem:
            return ModelFailed(
                f"{self._launch.name} was ended: {problem}{self._odd_line()}",
                hint=self._launch.get,
            )
        how = await self.process.how_it_ended()
        return ModelFailed(
            f"{self._launch.name} broke off: {how}{self._odd_line()}",
            hint=f"ask again, or see the log of it (acp-{self._launch.name}.log)",
        )

    async def close(self) -> None:
        """Ends the program and all it started."""
        with suppress(Exception):  # handlers that are cut may raise anything
            await self._connection.close()
        await self.process.end()

    def _refused(self, method: str, problem: RequestError) -> SkillAgentError:
        name = self._launch.name
        if problem.code == AUTH_REQUIRED:
            return ModelUnavailable(f"{name} is not logged in", hint=self._how_to_log_in())
        if problem.code == NOT_FOUND:
            return ModelFailed(f"{name} does not know {method}", hint=self._launch.get)
        told = f"{problem}{_details(problem.data)}"
        return ModelFailed(f"{name} failed: {shown(told)}")

    def _how_to_log_in(self) -> str:
        if self._launch.login:
            return self._launch.login
        ways = (one.name for one in self.told.auth_methods or ())
        named = shown(", ".join(ways))
        return f"log in with the program itself{f': {named}' if named else ''}"

    def _odd_line(self) -> str:
        odd = shown(self._pipe.first_odd)
        return f" (it said {odd!r})" if odd else ""


def shown(text: str) -> str:
    """A line of a program's as a person may be told it."""
    return tamed_line(printable(redact(text)), _LONGEST_TOLD)


def _details(data: Any) -> str:
    told = data.get("details") or data.get("message") if isinstance(data, dict) else data
    return f": {told}" if isinstance(told, str) and told else ""
