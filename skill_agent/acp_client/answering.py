"""One turn of a program: what it says and asks, as events in their order, and what it may do."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acp import RequestError
from acp.schema import (
    AgentMessageChunk,
    AgentPlanUpdate,
    AgentThoughtChunk,
    CreateTerminalRequest,
    PlanEntry,
    RequestPermissionRequest,
    ResourceContentBlock,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    UsageUpdate,
)

from skill_agent.errors import ToolFailed
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    PlanStep,
    PlanTold,
    TextDelta,
    ThoughtDelta,
)
from skill_agent.identifiers import new_id
from skill_agent.text.printing import Printer, printable
from skill_agent.text.shaping import one_line
from skill_agent.text.whole import whole
from skill_agent.tools.approvals import Decision, stored_rule
from skill_agent.turns.guards.outgoing import Outgoing
from skill_agent.turns.hands import Brief, Hands

from .calls import LONGEST_RESULT, MOST_CALLS, Call, Calls, cut, diff_shown, exact_line
from .folder import Folder, part_of
from .terminals import Terminals

MOST_WORDS = 1_000_000
"""Characters of one turn, thoughts among them."""
MOST_EVENTS = 20_000
MOST_WAITING = 500
"""Events; the program waits then until they are told."""
_MOST_STEPS = 50
_LONGEST_STEP = 200

Told = Event | None
"""None is that nothing more comes."""


@dataclass(slots=True)
class Reply:
    """What was said so far."""

    text: str = ""
    outgoing: Outgoing = field(default_factory=Outgoing)
    printer: Printer = field(default_factory=Printer)
    thoughts: Printer = field(default_factory=Printer)
    heard: int = 0
    first: float = 0.0
    apart: bool = False
    """What is said next does not go on with what was said last."""


class Answering:
    """What the program does in one turn comes in, what is told of it goes out of `events`."""

    def __init__(
        self, brief: Brief, hands: Hands, program: str, room: asyncio.Event, root: Path | None
    ) -> None:
        """`root` is the folder that it may reach through us."""
        self._brief, self._hands, self._program, self._room = brief, hands, program, room
        self._folder = Folder(root) if root else None
        self._terminals = Terminals()
        self.calls = Calls(brief.ids, self._shown, self._output_of)
        self.events: asyncio.Queue[Told] = asyncio.Queue()
        self.reply = Reply()
        self.cost: float | None = None
        """US dollars of the whole session, where told."""
        self.instead: list[str] = []
        """What the person wants done in place of calls that were denied."""
        self.patient = 0
        """How many wait for a person, or for a command: that is no silence."""
        self.past = ""
        """Which limit was passed."""
        self._count, self._asking = 0, set[asyncio.Task[Decision]]()
        self._writes: dict[Path, list[str]] = {}
        """Files that the person let it change, and texts they were shown for them."""
        self._commands: list[str] = []
        """Commands that the person let it run."""

    def heard(self, update: Any) -> None:
        """What the program tells."""
        match update:
            case AgentMessageChunk(content=content):
                self._say(_words(content))
            case AgentThoughtChunk(content=content):
                self._think(_words(content))
            case AgentPlanUpdate(entries=entries):
                self._put(PlanTold(**self._brief.ids, steps=_steps(entries)))
            case ToolCallStart() | ToolCallProgress():
                self._called(update)
            case UsageUpdate(cost=cost) if cost is not None and cost.currency.upper() == "USD":
                self.cost = cost.amount
            case _:
                pass

    def rest(self) -> Iterator[Event]:
        """What is still to be told at the end."""
        reply = self.reply
        if text := reply.outgoing.feed(reply.printer.rest()) + reply.outgoing.rest():
            reply.text += text
            yield TextDelta(**self._brief.ids, text=text)
        yield from self.calls.rest()

    def told(self) -> None:
        """An event was taken out."""
        if self.events.qsize() < MOST_WAITING // 2:
            self._room.set()

    async def close(self) -> None:
        """Nothing is asked or run any more."""
        for task in self._asking:
            task.cancel()
        self._room.set()
        await self._terminals.end()

    # -- what it says ------------------------------------------------------------------------

    def _put(self, event: Event) -> None:
        self._count += 1
        if self._count > MOST_EVENTS:
            self.past = self.past or f"more than {MOST_EVENTS:,} events"
        if self.past:
            self.events.put_nowait(None)
            return
        self.events.put_nowait(event)
        if self.events.qsize() > MOST_WAITING:
            self._room.clear()

    def _hear(self, piece: str) -> str:
        self.reply.heard += len(piece)
        if self.reply.heard > MOST_WORDS:
            self.past = self.past or f"more than {MOST_WORDS:,} characters"
        self.reply.first = self.reply.first or time.perf_counter()
        return whole(piece)

    def _say(self, piece: str) -> None:
        reply = self.reply
        if piece and reply.apart and reply.text.strip() and not reply.text.endswith("\n\n"):
            piece = f"\n\n{piece.lstrip()}"
        reply.apart = reply.apart and not piece
        if text := reply.outgoing.feed(reply.printer.feed(self._hear(piece))):
            reply.text += text
            self._put(TextDelta(**self._brief.ids, text=text))

    def _think(self, piece: str) -> None:
        if text := self.reply.thoughts.feed(self._hear(piece)):
            self._put(ThoughtDelta(**self._brief.ids, text=text))

    def _called(self, update: ToolCallStart | ToolCallProgress) -> None:
        for event in self.calls.told(update):
            self._put(event)
            self.reply.apart = True
        if len(self.calls) > MOST_CALLS:
            self.past = self.past or f"more than {MOST_CALLS} tool calls"

    # -- what it asks ------------------------------------------------------------------------

    async def permission(self, asked: RequestPermissionRequest) -> dict[str, Any]:
        """The answer to a request for permission, by our rules and the person."""
        call = self.calls.of(asked.tool_call)
        for event in self.calls.shown(call):  # so that it is seen before it is decided on
            self._put(event)
        options = {one.kind: one.option_id for one in reversed(asked.options)}
        where = str(self._folder.root) if self._folder else "no folder"
        detail = call.detail(where)
        decided = await self._decided(call.kind, call.arguments, detail)
        if decided is None:
            return {"outcome": {"outcome": "cancelled"}}
        call.choice, call.by = decided.choice, decided.by
        allowed = decided.choice != "deny"
        # Once is what it is told also where a rule of ours says always: then ours can be revoked.
        kinds = ("allow_once",) if allowed else ("reject_once", "reject_always")
        if decided.choice == "always":
            kinds = (*kinds, "allow_always")
        chosen = next((options[kind] for kind in kinds if kind in options), None)
        if chosen is None:
            return {"outcome": {"outcome": "cancelled"}}
        if allowed:
            self._remember(call)
        return {"outcome": {"outcome": "selected", "optionId": chosen}}

    async def _decided(self, kind: str, arguments: dict[str, Any], detail: str) -> Decision | None:
        """None where the turn ended before anybody decided."""
        hands, rule = self._hands, f"acp:{self._program}/{kind}:{detail}"
        tainted = bool(hands.taint.origins)
        if hands.allows(rule, tainted):
            return Decision("once", "rule")
        asked = ApprovalAsked(
            **self._brief.ids,
            approval=new_id(),
            tool=kind,
            arguments=arguments,
            rule=stored_rule(self._brief.agent.slug, rule, tainted=tainted),
            origins=hands.taint.origins,
            chain=self._brief.chain,
            reason="; ".join(
                filter(None, (hands.asked_by, f"{self._program} asks", hands.suspicion.line))
            ),
            timeout_s=hands.approval_timeout_s,
        )
        hands.announce(asked)
        self._put(asked)
        deciding = asyncio.ensure_future(hands.decide(asked.approval, asked.rule))
        self._asking.add(deciding)
        self.patient += 1
        try:
            await asyncio.wait([deciding])
        finally:
            self.patient -= 1
            self._asking.discard(deciding)
            deciding.cancel()
        if deciding.cancelled():
            return None
        decided = deciding.result()
        self._put(ApprovalAnswered(**self._brief.ids, approval=asked.approval, **decided._asdict()))
        if decided.words:
            self.instead.append(decided.words)
        return decided

    def _remember(self, call: Call) -> None:
        """What was allowed need not be asked for again when it is done through us."""
        given = call.raw_input if isinstance(call.raw_input, dict) else {}
        if call.kind == "execute" and isinstance(command := given.get("command"), str):
            self._commands.append(command)
        if self._folder is None or call.kind != "edit":
            return
        shown = {one.path: one.new_text for one in call.edits}
        for path in {*shown, *call.paths}:
            try:
                inside = self._folder.inside(path)
            except ToolFailed:
                continue
            self._writes.setdefault(inside, []).append(shown.get(path, ""))

    # -- what it does through us -------------------------------------------------------------

    async def read_file(self, path: str, line: int | None, limit: int | None) -> str:
        """Raises ToolFailed for what lies outside of the folder."""
        text = await asyncio.to_thread(self._works().read, path)
        self._hands.taint.add(("file",))
        return part_of(text, line, limit)

    async def write_file(self, path: str, content: str) -> None:
        """Raises ToolFailed where it may not be written."""
        folder = self._works()
        inside = folder.inside(path)
        before = await asyncio.to_thread(folder.before, path)
        shown = self._writes.get(inside)
        known = shown is not None and any(one in content for one in shown)
        if not known:
            told = {"path": str(inside), "content": cut(content, LONGEST_RESULT)}
            decided = await self._decided("edit", told, exact_line(str(inside)))
            if decided is None or decided.choice == "deny":
                raise ToolFailed("not allowed: the person denied this change")
        await asyncio.to_thread(folder.write, path, content)
        if not known or not all(shown or ()):  # otherwise the program has told of it
            self._put(diff_shown(self._brief.ids, folder.shown(path), before, content))

    async def run(self, asked: CreateTerminalRequest) -> str:
        """The id of a terminal; raises ToolFailed where the command may not be run."""
        folder = self._works()
        command = _command(asked)
        cwd = folder.inside(asked.cwd) if asked.cwd else folder.root
        if not cwd.is_dir():
            raise ToolFailed(f"there is no folder {asked.cwd}")
        line = " ".join([asked.command, *(asked.args or ())])
        env = {one.name: one.value for one in asked.env or ()}
        if env or line not in self._commands:
            told: dict[str, Any] = {"command": command, "cwd": str(cwd)}
            told |= {"env": env} if env else {}
            detail = exact_line(f"{command} (in {cwd}){f' {env}' if env else ''}")
            decided = await self._decided("execute", told, detail)
            if decided is None or decided.choice == "deny":
                raise ToolFailed("not allowed: the person denied this command")
        return await self._terminals.create(command, cwd=cwd, env=env, most=asked.output_byte_limit)

    async def ended(self, terminal: str) -> int | None:
        """The exit code of a command, once it has one."""
        self._works()
        self.patient += 1
        try:
            return await self._terminals.wait(terminal)
        finally:
            self.patient -= 1

    @property
    def terminals(self) -> Terminals:
        """Raises ToolFailed without a folder."""
        self._works()
        return self._terminals

    def _works(self) -> Folder:
        if self._folder is None:
            raise ToolFailed("there is no folder to work in: none was named for this conversation")
        return self._folder

    def _shown(self, path: str) -> str:
        return self._folder.shown(path) if self._folder else path

    def _output_of(self, terminal: str) -> str:
        try:
            return self._terminals.output(terminal)[0]
        except ToolFailed:
            return ""


def _command(asked: CreateTerminalRequest) -> list[str]:
    """Program and arguments; a line of a shell is none, for nobody would know what it does."""
    if asked.args or " " not in asked.command.strip():
        return [asked.command, *(asked.args or ())]
    import shlex

    try:
        parts = shlex.split(asked.command)
    except ValueError:
        parts = []
    if not parts or any(set(part) <= set("|&;<>") or "$(" in part for part in parts if part):
        raise ToolFailed('this takes a shell: command "sh" with the arguments "-c" and the line')
    return parts


def _words(content: Any) -> str:
    match content:
        case TextContentBlock(text=text):
            return text
        case ResourceContentBlock(name=name, uri=uri):
            return f"[{one_line(name, 100)}]({one_line(uri, 500)})"
    return f"[{content.type}]"


def _steps(entries: list[PlanEntry]) -> tuple[PlanStep, ...]:
    return tuple(
        PlanStep(text=one_line(printable(one.content), _LONGEST_STEP), state=one.status)
        for one in entries[:_MOST_STEPS]
    )


def refused(problem: ToolFailed) -> RequestError:
    """As a program is told that something is not done."""
    return RequestError(-32602, problem.message)
