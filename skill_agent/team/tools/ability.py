"""Whether a model knows when to ask a colleague and when not: tried once in a few situations, kept.

What it does in them is judged by code. Most have to be right, and every one in which nobody is to
be asked: a model that hands on what it could answer costs more than one that asks nobody.
"""

import contextlib
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, SkillAgentError
from skill_agent.files.private import read_json, write_private
from skill_agent.ports import ChatMessage, Model, ModelRequest, ToolPart
from skill_agent.values import ModelAbility, ModelInfo, ToolCall

from .specs import GUIDELINES, SPECS

MAY_MISS = 1
"""Situations in which it may take a wrong tool, or none."""
_SITUATIONS = Path(__file__).with_name("situations.toml")
_SYSTEM = (
    "You are Kyra, a helpful assistant. Your colleagues are luke (reviews code), ada (analyses "
    f"data) and max (plans and cooks).\n\n{GUIDELINES}"
)
_ROOM = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A message, and what is to be done about it."""

    message: str
    right: str = ""
    """The tool to call; empty for none."""
    arguments: Mapping[str, str] = field(default_factory=dict)

    def met(self, calls: Sequence[ToolCall]) -> bool:
        """Whether the first of these calls is the right one."""
        if not self.right or not calls:
            return not (self.right or calls)
        first = calls[0]
        told = {name: str(first.arguments.get(name, "")) for name in self.arguments}
        same = all(told[name].casefold() == value for name, value in self.arguments.items())
        return first.name == self.right and not first.problem and same


@cache
def situations() -> tuple[Situation, ...]:
    told = tomllib.loads(_SITUATIONS.read_text("utf-8"))["situation"]
    return tuple(Situation(**one) for one in told)


async def tried(model: Model) -> ModelAbility:
    """What it did in each situation: a call of the model each. Raises what a call raises."""
    wrong: list[str] = []
    needless = 0
    for one in situations():
        if not one.met(await _calls(model, one.message)):
            wrong.append(one.message)
            needless += not one.right
    return ModelAbility(
        id=model.info.name,
        able=not needless and len(wrong) <= MAY_MISS,
        right=len(situations()) - len(wrong),
        of=len(situations()),
        wrong=tuple(wrong),
    )


async def _calls(model: Model, message: str) -> list[ToolCall]:
    request = ModelRequest(
        messages=(
            ChatMessage(role="system", content=_SYSTEM),
            ChatMessage(role="user", content=message),
        ),
        tools=SPECS,
        temperature=0,
        max_tokens=_ROOM,
        purpose="ability",
    )
    parts = [part async for part in model.stream(request)]
    return [part.call for part in parts if isinstance(part, ToolPart)]


class Abilities:
    """What was found out about models, in a file; of another version of one nothing is known."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read: tuple[object, dict[str, Any]] | None = None

    def able(self, info: ModelInfo) -> bool:
        """False also where nobody ever tried. A small model is helped by code instead."""
        if info.profile.small:
            return False
        note = self._notes().get(info.name)
        return (
            isinstance(note, dict) and note.get("of") == _version(info) and bool(note.get("able"))
        )

    def keep(self, info: ModelInfo, found: ModelAbility) -> None:
        """Where the folder cannot be written to, it is tried again another time."""
        note = {"of": _version(info), "able": found.able, "right": found.right}
        with contextlib.suppress(OSError, SkillAgentError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._file, json.dumps({**self._notes(), info.name: note}, indent=1))

    def _notes(self) -> dict[str, Any]:
        """Read again when the file has changed."""
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if self._read is None or self._read[0] != stamp:
                told = read_json(self._file)
                self._read = stamp, told if isinstance(told, dict) else {}
        except (OSError, ConfigError):
            return {}
        return self._read[1]


def _version(info: ModelInfo) -> str:
    """Of the model's file and of the situations: another one of either is tried anew."""
    return f"{info.size_bytes} {_edition()}"


@cache
def _edition() -> str:
    return hashlib.sha256(_SITUATIONS.read_bytes()).hexdigest()[:12]
