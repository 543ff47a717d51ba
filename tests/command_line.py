"""Runs the command line over real stores and a scripted model, in this process."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from fakes import HashEmbedder, StepClock
from skill_agent.cli.main import run
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.cli.surroundings import Surroundings

from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """A person who types the given lines, one a question."""

    def __init__(self, lines: Iterable[str | type[BaseException]]) -> None:
        self._lines = list(lines)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self._lines:
            raise EOFError
        line = self._lines.pop(0)
        if isinstance(line, str):
            return line
        raise line


@dataclass
class Ska:
    """Runs command lines; `model` is what agents think with."""

    home: Home
    capsys: pytest.CaptureFixture[str]
    model: ScriptedModel = field(default_factory=lambda: ScriptedModel(otherwise="All right."))
    clock: StepClock = field(default_factory=StepClock)

    def __call__(
        self,
        *arguments: str,
        stdin: bytes = b"",
        person: Terminal | None = None,
        **other: Any,
    ) -> Done:
        other = {"chores": False, **other}
        around = Surroundings(
            opening=OpenOptions(
                gateway=ScriptedGateway(self.model),
                embedder=HashEmbedder(),
                clock=self.clock,
            ),
            stdin=BytesIO(stdin),
            terminal=person is not None,
            read_line=person or Terminal(()),
            **other,
        )
        self.capsys.readouterr()
        code = run(arguments, around)
        said = self.capsys.readouterr()
        return Done(code, said.out, said.err)
