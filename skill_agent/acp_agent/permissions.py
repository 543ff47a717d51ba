"""Approvals, as the editor asks for them: shown whole, answered once, wherever that is."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from acp.exceptions import RequestError
from acp.helpers import text_block, tool_content
from acp.interfaces import Client
from acp.schema import AllowedOutcome, PermissionOption, ToolCallUpdate

from skill_agent.conversations.client_context import in_fence
from skill_agent.errors import SkillAgentError
from skill_agent.events import ApprovalAsked, Choice
from skill_agent.text.attachments import writers
from skill_agent.text.decisions import hosts_in, in_a_row, in_one_line, tail_of, value_lines
from skill_agent.tools.operations import ApprovalOperations

from .kinds import kind_of, title_of
from .line import EditorLine
from .texts import plain

BY = "the editor"
_CHOICES: Mapping[str, Choice] = MappingProxyType({"once": "once", "always": "always"})
_log = logging.getLogger(__name__)


class Permissions:
    """What is asked of the person at the editor in one prompt."""

    def __init__(
        self, approvals: ApprovalOperations, client: Client, line: EditorLine, session: str
    ) -> None:
        self._approvals, self._client, self._line = approvals, client, line
        self._session = session
        self._asking: dict[str, asyncio.Task[None]] = {}

    def ask(self, event: ApprovalAsked, call: str) -> None:
        """Asks; the turn is told what was answered, and goes on meanwhile."""
        task = asyncio.create_task(self._ask(event, call), name=f"permission {event.approval}")
        self._asking[event.approval] = task

    async def settle(self, approval: str) -> None:
        """It was answered, here or elsewhere, or its time is over."""
        if (task := self._asking.pop(approval, None)) is not None:
            await self._line.withdraw(task)
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """The turn is over: nothing of it waits any more."""
        for approval in [*self._asking]:
            await self.settle(approval)

    async def _ask(self, event: ApprovalAsked, call: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        choice: Choice = "deny"
        try:
            answer = await self._client.request_permission(
                session_id=self._session, tool_call=_call(event, call), options=_options(event)
            )
            if isinstance(answer.outcome, AllowedOutcome):
                choice = _CHOICES.get(answer.outcome.option_id, "deny")
        except (RequestError, ValueError) as problem:  # it cannot ask, or answers what is no answer
            _log.warning("the editor did not ask: %s", type(problem).__name__)
        except ConnectionError:
            return  # the editor is gone; the turn is stopped
        finally:
            self._line.forget(task)
        try:
            await self._approvals.answer(event.approval, choice, by=BY)
        except SkillAgentError as problem:  # the time-out denies it
            _log.warning("an answer did not arrive: %s", type(problem).__name__)


def _options(event: ApprovalAsked) -> list[PermissionOption]:
    always = f"Allow always: {in_one_line(event.rule)}"
    return [
        PermissionOption(option_id="once", name="Allow once", kind="allow_once"),
        PermissionOption(option_id="always", name=always, kind="allow_always"),
        PermissionOption(option_id="deny", name="Deny", kind="reject_once"),
    ]


def _call(event: ApprovalAsked, call: str) -> ToolCallUpdate:
    """The whole of it, in a fence: nothing in it is drawn as anything else."""
    return ToolCallUpdate(
        tool_call_id=call,
        title=title_of(event.tool, event.arguments),
        kind=kind_of(event.tool),
        status="pending",
        content=[tool_content(text_block(in_fence("\n".join(_lines(event)))))],
        raw_input=plain(event.arguments),
    )


def _lines(event: ApprovalAsked) -> Iterator[str]:
    hosts = hosts_in(event.arguments)
    reached = f" → {hosts}" if hosts else ""
    yield f"{in_one_line(event.agent)} wants to use {in_one_line(event.tool)}{reached}"
    if event.chain:
        yield f"asked by {in_a_row(event.chain)}"
    for name, value in event.arguments.items():
        first, *more = value_lines(value)
        told = in_one_line(name)
        yield from (
            [f"{told} =", *(f"│ {one}" for one in (first, *more))]
            if more
            else [f"{told} = {first}"]
        )
        if tail := tail_of(value):
            yield f"({tail})"
    if event.reason:
        yield f"why you are asked: {in_one_line(event.reason)}"
    if event.origins:
        yield f"in this conversation: {writers(event.origins)}"
    yield f'"Allow always" would store: {in_one_line(event.rule)}'
