"""What a program asks of us, by method, passed on to the turn that runs."""

import time
from typing import Any

from acp import RequestError
from acp.schema import (
    CreateTerminalRequest,
    KillTerminalRequest,
    ReadTextFileRequest,
    ReleaseTerminalRequest,
    RequestPermissionRequest,
    SessionNotification,
    TerminalOutputRequest,
    WaitForTerminalExitRequest,
    WriteTextFileRequest,
)
from pydantic import ValidationError

from skill_agent.errors import ToolFailed

from .answering import Answering, refused


class Requests:
    """Of one program; between turns nothing is taken from it."""

    def __init__(self) -> None:
        self.turn: Answering | None = None
        self.session = ""
        self.heard = time.monotonic()
        """When it last said anything."""

    async def __call__(self, method: str, params: Any, is_notification: bool) -> Any:
        self.heard = time.monotonic()
        try:
            return await self._done(method, params)
        except ValidationError:
            if is_notification:
                return None  # of a newer protocol than ours, or nonsense
            raise RequestError(-32602, "these are no parameters of this method") from None
        except ToolFailed as problem:
            raise refused(problem) from None
        finally:
            self.heard = time.monotonic()

    async def _done(self, method: str, params: Any) -> Any:
        if method == "session/update":
            told = SessionNotification.model_validate(params)
            if self.turn is not None and told.session_id == self.session:
                self.turn.heard(told.update)
            return None
        turn = self._running()
        match method:
            case "session/request_permission":
                return await turn.permission(RequestPermissionRequest.model_validate(params))
            case "fs/read_text_file":
                read = ReadTextFileRequest.model_validate(params)
                return {"content": await turn.read_file(read.path, read.line, read.limit)}
            case "fs/write_text_file":
                write = WriteTextFileRequest.model_validate(params)
                await turn.write_file(write.path, write.content)
                return {}
            case _ if method.startswith("terminal/"):
                return await _terminal(turn, method, params)
        raise RequestError.method_not_found(method)

    def _running(self) -> Answering:
        if self.turn is None:
            raise RequestError(-32602, "no turn runs")
        return self.turn


async def _terminal(turn: Answering, method: str, params: Any) -> dict[str, Any]:
    match method:
        case "terminal/create":
            asked = CreateTerminalRequest.model_validate(params)
            return {"terminalId": await turn.run(asked)}
        case "terminal/output":
            name = TerminalOutputRequest.model_validate(params).terminal_id
            said, is_cut, code = turn.terminals.output(name)
            status = {} if code is None else {"exitStatus": {"exitCode": code}}
            return {"output": said, "truncated": is_cut, **status}
        case "terminal/wait_for_exit":
            name = WaitForTerminalExitRequest.model_validate(params).terminal_id
            return {"exitCode": await turn.ended(name)}
        case "terminal/kill":
            await turn.terminals.kill(KillTerminalRequest.model_validate(params).terminal_id)
            return {}
        case "terminal/release":
            await turn.terminals.release(ReleaseTerminalRequest.model_validate(params).terminal_id)
            return {}
    raise RequestError.method_not_found(method)
