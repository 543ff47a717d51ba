"""Where we are set up on this machine, as whom, and whether what stands there answers."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skill_agent.errors import SkillAgentError

from ...event_loop import run
from . import files
from .answering import Answer, answer
from .command import Served, served
from .documents import Document
from .known import CLIENTS, SCOPES, Client, Scope, switched_off, words_of
from .places import Machine, file_of, files_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One entry of ours in a client's file, or that there is none."""

    client: str
    scope: Scope
    file: Path
    name: str = ""
    """What the entry is called; empty where there is none."""
    words: tuple[str, ...] = ()
    environment: Mapping[str, str]
    served: Served | None = None
    other_home: str = ""
    """Which home it serves, where that is not the one asked about."""
    off: bool = False
    """The client is told not to start it."""
    answers: bool | None = None
    """None: it was not started."""
    version: str = ""
    remark: str = ""
    problem: str = ""
    hint: str = ""

    def as_row(self) -> tuple[object, ...]:
        """For a table."""
        said = {True: f"yes, {self.version}", False: "no", None: self.remark}[self.answers]
        eyes = ""
        if self.served:
            rights = " (reads only)" if self.served.read_only else ""
            home = f", home: {self.other_home}" if self.other_home else ""
            eyes = (self.served.agent or "its own agent") + rights + home
        return (self.client, self.scope, self.name or "no", eyes, said, self.file)

    def as_object(self) -> dict[str, Any]:
        """For a script."""
        return {
            "id": ":".join(part for part in (self.client, self.scope, self.name) if part),
            "client": self.client,
            "scope": self.scope,
            "file": str(self.file),
            "installed": bool(self.name),
            "name": self.name or None,
            "command": list(self.words),
            "as": self.served.agent or None if self.served else None,
            "read_only": bool(self.served and self.served.read_only),
            "home": self.served.home or None if self.served else None,
            "answers": self.answers,
            "version": self.version or None,
            "remark": self.remark,
            "problem": self.problem,
            "hint": self.hint,
        }


def standings(machine: Machine, *, mine: Sequence[str], seconds: float) -> list[Standing]:
    """Every entry of ours, asked whether it answers, and a line for a client without one.

    `mine` is what this program would write; nothing else is started out of a project's file.
    """
    found = [_weighed(one, mine) for one in _found(machine)]
    starts = {_start(one): one for one in found if one.name and not one.remark}

    async def answers() -> list[Answer]:
        return await asyncio.gather(*(_answer(one, machine, seconds) for one in starts.values()))

    got = dict(zip(starts, run(answers()), strict=True)) if starts else {}
    return [_told(one, got[_start(one)]) if one.name and not one.remark else one for one in found]


def servers_in(client: Client, file: Path) -> dict[str, Any]:
    """The servers a file names; empty where it cannot be read."""
    try:
        return Document.of(client, files.read(file)).servers
    except SkillAgentError:
        return {}


def _found(machine: Machine) -> Iterator[Standing]:
    for client in CLIENTS.values():
        there = [
            one for scope in SCOPES for file in files_of(client, scope, machine)
            for one in _in_file(client, scope, file)
        ]  # fmt: skip
        yield from there
        if not there:
            file = file_of(client, "user", machine)
            yield Standing(client=client.name, scope="user", file=file, environment={})


def _in_file(client: Client, scope: Scope, file: Path) -> Iterator[Standing]:
    try:
        servers = Document.of(client, files.read(file)).servers
    except SkillAgentError as problem:
        yield Standing(
            client=client.name, scope=scope, file=file, environment={},
            problem=problem.message, hint=problem.hint,
        )  # fmt: skip
        return
    for name, entry in servers.items():
        words = words_of(entry)
        if (says := served(words)) is not None:
            yield Standing(
                client=client.name, scope=scope, file=file, name=name, words=words,
                environment=_environment(entry), served=says, off=switched_off(entry),
            )  # fmt: skip


def _environment(entry: Mapping[str, Any]) -> dict[str, str]:
    named = entry.get("env") or entry.get("environment") or {}
    pairs = named.items() if isinstance(named, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}


def _weighed(one: Standing, mine: Sequence[str]) -> Standing:
    """With what is to be said of it before it is started, and whether it is not to be."""
    own, theirs = served(mine), one.served
    if own and theirs and theirs.home != own.home:
        one = replace(one, other_home=theirs.home or "the usual one")
    if one.off:
        return replace(one, remark="switched off there")
    expected = (*mine[:-2], "mcp", "serve")
    same = one.words[: len(expected)] == expected and not one.environment
    if one.name and one.scope == "project" and not same:
        return replace(one, remark="not started: this program would write it otherwise")
    return one


def _start(one: Standing) -> tuple[object, ...]:
    """What tells one start from another: several clients may start the same."""
    return (one.words, tuple(sorted(one.environment.items())))


async def _answer(one: Standing, machine: Machine, seconds: float) -> Answer:
    environment = {**machine.environment, **one.environment}
    return await answer(one.words, environment=environment, folder=machine.folder, seconds=seconds)


def _told(one: Standing, got: Answer) -> Standing:
    version = " ".join(part for part in (got.name, got.version) if part)
    return replace(
        one, answers=not got.problem, version=version, problem=got.problem, hint=got.hint
    )
