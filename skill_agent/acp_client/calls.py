"""A program's own tool calls, put together from what it tells of them bit by bit."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from acp.schema import (
    ContentToolCallContent,
    FileEditToolCallContent,
    TerminalToolCallContent,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
)

from skill_agent.events import Choice, DiffShown, Event, ToolFinished, ToolStarted
from skill_agent.identifiers import new_id
from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line
from skill_agent.text.whole import whole, whole_json
from skill_agent.turns.hands import Ids

MOST_CALLS = 500
"""In one turn."""
LONGEST_RESULT = 20_000
LONGEST_DIFF = 50_000
"""Characters of each side."""
LONGEST_TITLE = 300
LONGEST_DETAIL = 300
_KINDS = ("read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode")

Told = ToolCallStart | ToolCallProgress | ToolCallUpdate


@dataclass(slots=True)
class Call:
    """One call, as far as it is known."""

    id: str = field(default_factory=new_id)
    kind: str = "other"
    title: str = ""
    status: str = "pending"
    raw_input: Any = None
    raw_output: Any = None
    paths: tuple[str, ...] = ()
    content: Sequence[Any] = ()
    began: float = 0.0
    """0 until it is told."""
    ended: bool = False
    choice: Choice | None = None
    by: str = ""
    diffs: set[str] = field(default_factory=set)
    """Those that were shown."""

    def take(self, told: Told) -> None:
        """What is told replaces what was."""
        kind = told.kind or self.kind
        self.kind = kind if kind in _KINDS else "other"
        self.title = one_line(printable(told.title), LONGEST_TITLE) if told.title else self.title
        self.status = told.status or self.status
        if told.raw_input is not None:
            self.raw_input = told.raw_input
        if told.raw_output is not None:
            self.raw_output = told.raw_output
        if told.locations is not None:
            self.paths = tuple(one.path for one in told.locations[:20])
        if told.content is not None:
            self.content = told.content[:50]

    @property
    def ready(self) -> bool:
        """Whether what it does is known well enough to be told."""
        return self.status != "pending" or self.raw_input not in (None, {})

    @property
    def arguments(self) -> dict[str, Any]:
        """What it is called with, as much of it as is shown."""
        given = self.raw_input if isinstance(self.raw_input, dict) else {}
        if not isinstance(self.raw_input, dict) and self.raw_input is not None:
            given = {"input": self.raw_input}
        told: dict[str, Any] = {"title": self.title} if self.title else {}
        if self.paths and not given:
            told["paths"] = list(self.paths)
        return told | bounded(given)

    @property
    def edits(self) -> Iterator[FileEditToolCallContent]:
        return (one for one in self.content if isinstance(one, FileEditToolCallContent))

    def detail(self, where: str) -> str:
        """What it does, exactly, in a line that a rule can hold: two that differ in anything that
        matters have different ones. `where` is the folder."""
        given = self.raw_input if isinstance(self.raw_input, dict) else {}
        command = given.get("command")
        paths = tuple(dict.fromkeys((*(one.path for one in self.edits), *self.paths)))
        match self.kind:
            case "execute" if isinstance(command, str) and command.strip():
                return exact_line(f"{command} (in {where})")
            case "execute" if isinstance(command, list) and command:
                return exact_line(f"{json.dumps(command)} (in {where})")
            case "edit" | "delete" | "read" if paths:
                return exact_line(", ".join(paths))
            case "fetch" if isinstance(given.get("url"), str):
                return exact_line(given["url"])
        told = json.dumps([self.raw_input, paths], sort_keys=True, default=str)
        return exact_line(f"{self.title} {_digest(told)}")

    def result(self, output_of: Callable[[str], str]) -> str:
        """What it gave; `output_of` a terminal of ours."""
        parts: list[str] = []
        for one in self.content:
            match one:
                case ContentToolCallContent(content=TextContentBlock(text=text)):
                    parts.append(text)
                case ContentToolCallContent(content=content):
                    parts.append(f"[{content.type}]")
                case FileEditToolCallContent(path=path):
                    parts.append(f"changed {path}")
                case TerminalToolCallContent(terminal_id=name):
                    parts.append(output_of(name))
        text = "\n".join(part for part in parts if part)
        if not text and self.raw_output is not None:
            raw = self.raw_output
            text = raw if isinstance(raw, str) else json.dumps(raw, default=str)
        return cut(printable(text), LONGEST_RESULT)


class Calls:
    """Those of one turn."""

    def __init__(self, ids: Ids, shown: Callable[[str], str], output_of: Callable[[str], str]):
        """`shown` makes a path one that a person is shown."""
        self._ids, self._shown, self._output_of = ids, shown, output_of
        self._known: dict[str, Call] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, told: Told) -> Call:
        """The call that is spoken of, with what is told of it now."""
        call = self._known.setdefault(told.tool_call_id, Call())
        if not call.ended:
            call.take(told)
        return call

    def told(self, told: Told) -> Iterator[Event]:
        """What is to be told of it now."""
        call = self.of(told)
        if call.ended:
            return
        ended = call.status in ("completed", "failed")
        if call.ready or ended:
            yield from self.begun(call)
        yield from self._changed(call)
        if ended:
            yield self._finished(call, ok=call.status == "completed")

    def shown(self, call: Call) -> Iterator[Event]:
        """That it begins, and what it changes, as far as that was not told."""
        yield from self.begun(call)
        yield from self._changed(call)

    def begun(self, call: Call) -> Iterator[Event]:
        """That it begins, once."""
        if call.began:
            return
        call.began = time.perf_counter()
        yield ToolStarted(**self._ids, call=call.id, tool=call.kind, arguments=call.arguments)

    def rest(self) -> Iterator[Event]:
        """Those that the program left open, as ended."""
        for call in self._known.values():
            if call.began and not call.ended:
                yield self._finished(call, ok=False)

    def _finished(self, call: Call, *, ok: bool) -> ToolFinished:
        call.ended = True
        result = call.result(self._output_of)
        if not ok and not result:
            result = "it failed" if call.status == "failed" else "it was not told how this ended"
        return ToolFinished(
            **self._ids,
            call=call.id,
            tool=call.kind,
            ok=ok,
            result=whole(result),
            seconds=time.perf_counter() - call.began,
            origins=("tool",),
            choice=call.choice,
            by=call.by,
        )

    def _changed(self, call: Call) -> Iterator[Event]:
        for one in call.edits:
            key = _digest(f"{one.path}\0{one.old_text}\0{one.new_text}")
            if key in call.diffs:
                continue
            call.diffs.add(key)
            yield from self.begun(call)
            yield diff_shown(
                self._ids, self._shown(one.path), one.old_text or "", one.new_text, call.id
            )


def diff_shown(ids: Ids, path: str, before: str, after: str, call: str = "") -> DiffShown:
    return DiffShown(
        **ids,
        path=one_line(printable(path), LONGEST_TITLE),
        before=cut(printable(before), LONGEST_DIFF),
        after=cut(printable(after), LONGEST_DIFF),
        call=call,
    )


def bounded(value: dict[str, Any]) -> dict[str, Any]:
    """A document that is not too large to be kept and shown."""
    text = json.dumps(value, default=str)
    if len(text) <= LONGEST_RESULT:
        return whole_json(json.loads(text))
    return {"input": cut(text, LONGEST_RESULT)}


def cut(text: str, most: int) -> str:
    """A text that is not too long; says so where something is left out."""
    text = whole(text)
    return text if len(text) <= most else f"{text[:most]}\n(cut: {len(text) - most:,} more)"


def exact_line(text: str) -> str:
    """On one line, not too long, and another one for another text."""
    line = one_line(text)
    if line == text and len(line) <= LONGEST_DETAIL and line.isprintable():
        return line
    return f"{line[: LONGEST_DETAIL - 20]} #{_digest(text)}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
