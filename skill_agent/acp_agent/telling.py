"""What a turn tells, as updates of an editor's session."""

import asyncio
from dataclasses import dataclass, field

from acp.helpers import (
    plan_entry,
    start_tool_call,
    text_block,
    tool_content,
    tool_diff_content,
    update_agent_message_text,
    update_agent_thought_text,
    update_plan,
    update_tool_call,
)
from acp.interfaces import Client
from acp.schema import ContentToolCallContent, FileEditToolCallContent, ToolCallStatus

from skill_agent.conversations.client_context import in_fence
from skill_agent.conversations.in_words import answered, answered_by
from skill_agent.events import (
    AgentsChanged,
    AgentWaking,
    ApprovalAnswered,
    ApprovalAsked,
    DiffShown,
    Event,
    MemoryRecalled,
    Notice,
    PlanTold,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.text.printing import Printer
from skill_agent.text.shaping import one_line

from .files import whole_path
from .kinds import kind_of, title_of
from .permissions import Permissions
from .texts import plain, shown

LONGEST_DIFF = 200_000
"""Characters of a file's text, before and after, that an editor is shown."""
_MOST_STEPS = 100
Contents = list[ContentToolCallContent | FileEditToolCallContent]


def call_id(turn: str, call: str) -> str:
    """A tool call's id is a turn's own; an editor wants one that is the session's."""
    return f"{turn}:{call}"


@dataclass(slots=True)
class _Call:
    """A tool call the editor knows of."""

    id: str
    tool: str
    diffs: list[FileEditToolCallContent] = field(default_factory=list)
    allowed: bool = False
    over: bool = False


class Telling:
    """Tells one turn."""

    def __init__(self, client: Client, session: str, folder: str, permissions: Permissions) -> None:
        self._client, self._session, self._folder = client, session, folder
        self._permissions = permissions
        self._words, self._thoughts = Printer(), Printer()
        self._one_at_a_time = asyncio.Lock()
        self._said = ""
        self._asides: list[str] = []
        """Lines that wait for a pause in the words, which they would tear apart."""
        self._pausing = True
        self._calls: dict[str, _Call] = {}
        self._asked: list[tuple[ApprovalAsked, _Call]] = []
        """Calls that were asked for and have not begun."""

    async def tell(self, event: Event) -> None:
        """One event of the turn, or a question of one that works for it; each whole."""
        async with self._one_at_a_time:
            await self._tell(event)

    async def _tell(self, event: Event) -> None:
        match event:
            case TextDelta():
                await self._say(event.text)
            case ThoughtDelta():
                await self._think(self._thoughts.feed(event.text))
            case ToolStarted() | ToolFinished() | ApprovalAsked() | ApprovalAnswered():
                await self._pause()
                await self._tell_call(event)
            case DiffShown():
                await self._pause()
                await self._diff(event)
            case PlanTold():
                await self._plan(event)
            case TurnFinished() | TurnFailed():
                await self._end(event)
            case TurnStarted() | MemoryRecalled() | AgentWaking() | AgentsChanged():
                pass
            case Notice() if event.step or not event.text.strip():
                pass
            case Notice(level="warning"):
                await self._beside(f"⚠ {event.line}")
            case _:
                await self._beside(event.line)

    async def note(self, line: str) -> None:
        """A line of this program's own."""
        await self._beside(f"⚠ {line}")

    # -- words --------------------------------------------------------------------------------

    async def _say(self, text: str) -> None:
        self._said += text
        ready = self._words.feed(text)
        if ready:
            self._pausing = False
            await self._update(update_agent_message_text(ready))

    async def _think(self, text: str) -> None:
        if text:
            await self._update(update_agent_thought_text(text))

    async def _beside(self, line: str) -> None:
        """At once where nothing is being said, else at the next pause."""
        self._asides.append(one_line(shown(line, 1_000)))
        if self._pausing:
            await self._tell_asides()

    async def _pause(self) -> None:
        """The words stop here for a while."""
        await self._rest()
        self._pausing = True
        await self._tell_asides()

    async def _rest(self) -> None:
        if rest := self._words.rest():
            await self._update(update_agent_message_text(rest))
        await self._think(self._thoughts.rest())

    async def _tell_asides(self) -> None:
        asides, self._asides = self._asides, []
        for line in asides:
            await self._think(f"{line}\n\n")

    async def _end(self, event: TurnFinished | TurnFailed) -> None:
        """What was said and did not come over is told now; calls left open are closed."""
        if event.text.startswith(self._said):
            await self._say(event.text[len(self._said) :])
        await self._pause()
        for _, call in self._asked:
            await self._close(call, "completed" if call.allowed else "failed")
        for call in self._calls.values():
            await self._close(call, "failed")

    # -- tools --------------------------------------------------------------------------------

    async def _tell_call(
        self, event: ToolStarted | ToolFinished | ApprovalAsked | ApprovalAnswered
    ) -> None:
        match event:
            case ApprovalAsked():
                await self._ask(event)
            case ApprovalAnswered():
                await self._answered(event)
            case ToolStarted():
                await self._start(event)
            case ToolFinished():
                await self._finish(event)

    async def _ask(self, event: ApprovalAsked) -> None:
        call = _Call(call_id(event.turn, event.approval), event.tool)
        self._asked.append((event, call))
        await self._open(call, event.arguments, "pending")
        self._permissions.ask(event, call.id)

    async def _answered(self, event: ApprovalAnswered) -> None:
        await self._permissions.settle(event.approval)
        for asked, call in self._asked:
            if asked.approval == event.approval:
                parts = answered(event.choice), answered_by(event.choice, event.by), event.words
                told = shown(", ".join(filter(None, parts)), 1_000)
                content = [tool_content(text_block(told))]
                call.allowed = event.choice != "deny"
                call.over = not call.allowed
                status: ToolCallStatus = "in_progress" if call.allowed else "failed"
                await self._update(update_tool_call(call.id, status=status, content=content))

    async def _start(self, event: ToolStarted) -> None:
        """The call that was asked for goes on under the id it was asked with."""
        for number, (asked, call) in enumerate(self._asked):
            if (asked.tool, asked.arguments) == (event.tool, event.arguments):
                del self._asked[number]
                self._calls[event.call] = call
                return
        call = self._calls[event.call] = _Call(call_id(event.turn, event.call), event.tool)
        await self._open(call, event.arguments, "in_progress")

    async def _finish(self, event: ToolFinished) -> None:
        call = self._calls.get(event.call)
        if call is None:
            call = self._calls[event.call] = _Call(call_id(event.turn, event.call), event.tool)
            await self._open(call, {}, "in_progress")
        call.over = True
        result = shown(event.result)
        content: Contents = [*call.diffs]
        if result.strip():
            content.append(tool_content(text_block(in_fence(result))))
        status: ToolCallStatus = "completed" if event.ok else "failed"
        await self._update(
            update_tool_call(call.id, status=status, content=content, raw_output=result)
        )

    async def _diff(self, event: DiffShown) -> None:
        """Beside its call; one that belongs to none stands by itself."""
        path = whole_path(self._folder, event.path)
        before = shown(event.before, LONGEST_DIFF) if event.before else None
        diff = tool_diff_content(path, shown(event.after, LONGEST_DIFF), before)
        call = self._calls.get(event.call)
        if call is None:
            key = f"diff-{len(self._calls)}"
            call = self._calls[key] = _Call(call_id(event.turn, key), "edit", over=True)
            await self._open(call, {"path": event.path}, "completed")
        call.diffs.append(diff)
        await self._update(update_tool_call(call.id, kind="edit", content=[*call.diffs]))

    async def _open(
        self, call: _Call, arguments: dict[str, object], status: ToolCallStatus
    ) -> None:
        await self._update(
            start_tool_call(
                call.id,
                title_of(call.tool, arguments),
                kind=kind_of(call.tool),
                status=status,
                raw_input=plain(arguments),
            )
        )

    async def _close(self, call: _Call, status: ToolCallStatus) -> None:
        if not call.over:
            call.over = True
            await self._update(update_tool_call(call.id, status=status))

    async def _plan(self, event: PlanTold) -> None:
        entries = [
            plan_entry(shown(step.text, 1_000), status=step.state)
            for step in event.steps[:_MOST_STEPS]
        ]
        await self._update(update_plan(entries))

    async def _update(self, update: object) -> None:
        await self._client.session_update(self._session, update)  # pyright: ignore[reportArgumentType]
