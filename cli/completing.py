"""What a shell is offered for a value: the names and ids of the home, soon or not at all.

Which values a parameter takes is told by what it is called in the help (`AGENT`, `SESSION`, `ID`)
and by the group it stands in, so that no command says it again. Only loaded while a shell asks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Offer = tuple[str, str]
"""A value, and what stands beside it where the shell shows that."""
Source = Callable[["Workstation"], Awaitable[Iterable[Offer]]]

_PLAIN, _ODD = re.compile(r"[\w./@:+][\w./@:+-]*"), re.compile(r"[^\w ,.!?%-]")
"""Names and titles may be an agent's or a program's words. A shell runs what is put on its line,
and zsh evaluates what stands beside a value, too: only plain names are offered, and beside them
letters and few signs."""

PATIENCE_S = 4.0
MOST = 100
_LEAST, _WHOLE = 8, 36
"""Characters of an id."""


async def _agents(station: "Workstation") -> list[Offer]:
    return [(one.slug, one.tagline or one.name) for one in await station.agents.list()]


async def _sessions(station: "Workstation") -> list[Offer]:
    found = await station.conversations.list(limit=MOST)
    return [("latest", "the newest"), *shortened((one.id, one.title) for one in found)]


async def _memories(station: "Workstation") -> list[Offer]:
    from skill_agent.values import MemoryFilter

    found = await station.memory.list(MemoryFilter(limit=MOST))
    return shortened((one.id, one.content) for one in found)


async def _models(station: "Workstation") -> list[Offer]:
    found = await station.models.list()
    return [(one.name, one.note) for one in found if one.kind == "chat"]


async def _skills(station: "Workstation") -> list[Offer]:
    return [(one.name, one.description) for one in await station.skills.list() if one.loaded]


async def _jobs(station: "Workstation") -> list[Offer]:
    return [(one.name, one.kind) for one in await station.jobs.list()]


async def _inbox(station: "Workstation") -> list[Offer]:
    return shortened((one.id, one.title) for one in await station.inbox.list(limit=MOST))


async def _work(station: "Workstation") -> list[Offer]:
    return shortened((one.id, one.title) for one in await station.work.list(limit=MOST))


async def _questions(station: "Workstation") -> list[Offer]:
    return shortened((one.id, one.text) for one in await station.questions.list(limit=MOST))


async def _approvals(station: "Workstation") -> list[Offer]:
    return shortened((one.id, one.tool) for one in await station.approvals.waiting())


async def _tasks(station: "Workstation") -> list[Offer]:
    together = [(one.id, one.goal) for one in await station.collaborations.list(limit=MOST)]
    tasks = [(one.id, one.title) for one in await station.tasks.list(limit=MOST)]
    return shortened([*together, *tasks])


async def _turns(station: "Workstation") -> list[Offer]:
    found = await station.turns.list()
    return [("latest", "the newest"), *shortened((one.id, one.text) for one in found)]


def shortened(found: Iterable[Offer]) -> list[Offer]:
    """Each id as far as it differs from all others: ids of one moment begin alike."""
    offers = [*found]
    length = _LEAST
    while len({one[:length] for one, _ in offers}) < len(offers) and length < _WHOLE:
        length += 1
    return [(one[:length], told) for one, told in offers]


_BY_NAME: Mapping[str, Source] = MappingProxyType(
    {
        "AGENT": _agents,
        "SESSION": _sessions,
        "SKILL": _skills,
        "JOB": _jobs,
        "TURN": _turns,
    }
)
"""By what a value is called in the help, whatever the command."""
_BY_OPTION: Mapping[str, Source] = MappingProxyType(
    {"--agent": _agents, "--session": _sessions, "--model": _models, "--lead": _agents}
)
_BY_GROUP: Mapping[str, Source] = MappingProxyType(
    {
        "memory": _memories,
        "inbox": _inbox,
        "work": _work,
        "questions": _questions,
        "approvals": _approvals,
        "team": _tasks,
        "jobs": _jobs,
        "models": _models,
        "skills": _skills,
    }
)
"""By the group of a command, for what its help calls ID or NAME."""


def with_values(command: Any) -> Any:
    """The command, whose parameters know what there is; its own choices and files stay."""
    for parameter in command.params:
        if getattr(parameter, "_custom_shell_complete", _complete) is None:
            parameter._custom_shell_complete = _complete
    return command


def source_of(group: str, parameter: Any) -> Source | None:
    """Where the values of a parameter come from; None where nobody knows any."""
    for name in parameter.opts:
        if name in _BY_OPTION:
            return _BY_OPTION[name]
    called = (parameter.metavar or "").strip("[]. ")
    if called in _BY_NAME:
        return _BY_NAME[called]
    plain = called in ("ID", "NAME") and parameter.param_type_name == "argument"
    return _BY_GROUP.get(group) if plain else None


def _complete(ctx: Any, parameter: Any, incomplete: str) -> list[Any]:
    from typer._click.shell_completion import CompletionItem

    path = _path_of(ctx)
    source = source_of(path[0] if path else "", parameter)
    if source is None:
        return []
    offers = offered(_around(ctx), source)
    return [
        CompletionItem(value, help=_line(told))
        for value, told in offers
        if value.startswith(incomplete) and _PLAIN.fullmatch(value)
    ]


def offered(around: Surroundings, source: Source) -> list[Offer]:
    """What a home has of it; nothing where that takes too long, or goes wrong: whoever presses Tab
    wants no error there."""
    if not around.api and not around.home.exists:
        return []

    async def asked() -> list[Offer]:
        async with asyncio.timeout(PATIENCE_S), around.open_home(role="script") as station:
            return [*await source(station)][:MOST]

    try:
        return asyncio.run(asked())
    except Exception:
        return []


def _around(ctx: Any) -> Surroundings:
    """The home that stands on the unfinished line, else the environment's."""
    root = ctx.find_root()
    around = root.obj if isinstance(root.obj, Surroundings) else Surroundings()
    home, api = root.params.get("home"), root.params.get("api") or ""
    return replace(around, path=Path(home) if home else around.path, api=api)


def _path_of(ctx: Any) -> list[str]:
    """The words of the command, without the program's name."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name or "")
        ctx = ctx.parent
    return names


def _line(text: str) -> str:
    from skill_agent.text.shaping import one_line

    return one_line(_ODD.sub(" ", text), 60)
