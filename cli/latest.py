"""`latest` wherever an id is asked for, by the group of the command, so that no command says it
again. What knows the word itself (conversations, the inbox, turns) is left alone.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

WORD = "latest"
_Find = Callable[["Workstation"], Awaitable[str]]


async def _memory(station: "Workstation") -> str:
    from skill_agent.values import MemoryFilter

    return _newest(await station.memory.list(MemoryFilter(limit=1)))


async def _work(station: "Workstation") -> str:
    return _newest(await station.work.list())


async def _questions(station: "Workstation") -> str:
    return _newest(await station.questions.list(waiting=False, limit=1))


async def _team(station: "Workstation") -> str:
    tasks = await station.tasks.list(limit=1)
    return _newest([*await station.collaborations.list(limit=1), *tasks])


async def _jobs(station: "Workstation") -> str:
    return _newest([one for one in await station.jobs.list() if one.id != one.kind])


async def _approvals(station: "Workstation") -> str:
    return next((one.id for one in reversed(await station.approvals.waiting())), "")


_BY_GROUP: Mapping[str, _Find] = MappingProxyType(
    {
        "memory": _memory,
        "work": _work,
        "questions": _questions,
        "team": _team,
        "jobs": _jobs,
        "approvals": _approvals,
    }
)


def _newest(found: list[Any]) -> str:
    return max(found, key=lambda one: (one.created_at, one.id)).id if found else ""


def with_latest(command: Any) -> Any:
    """The command; an id it is given as `latest` is looked up before it begins."""
    theirs = command.invoke

    def invoke(ctx: Any) -> Any:
        for name in _meant(command, ctx.params):
            ctx.params[name] = _looked_up(ctx)
        return theirs(ctx)

    if any(_is_id(one) for one in command.params):
        command.invoke = invoke
    return command


def _meant(command: Any, given: Mapping[str, Any]) -> Iterator[str]:
    yield from (one.name for one in command.params if _is_id(one) and given.get(one.name) == WORD)


def _is_id(parameter: Any) -> bool:
    called = (getattr(parameter, "metavar", None) or "").strip("[]. ")
    return called in ("ID", "JOB") and parameter.param_type_name == "argument"


def _looked_up(ctx: Any) -> str:
    from skill_agent.errors import NotFound

    # By name, as commands are loaded: what runs them stands above the table of commands.
    with_runtime = import_module(".opening.running", __package__).with_runtime

    group = ctx
    while group.parent is not None and group.parent.parent is not None:
        group = group.parent
    find = _BY_GROUP.get(group.info_name or "")
    if find is None:
        return WORD
    found = with_runtime(ctx, find)
    if not found:
        raise NotFound(
            f"there is nothing yet that could be the {WORD}", hint=f"ska {group.info_name}"
        )
    return found
