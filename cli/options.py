"""Options that several commands share, so that one letter means one thing everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .lazy import LateTyper
from .output import narrate

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Item = TypeVar("Item")

AgentOption = Annotated[
    str | None, typer.Option("--agent", "-a", metavar="NAME", help="Agent to speak to or as.")
]
FollowOption = Annotated[
    bool, typer.Option("--continue", "-c", help="Go on in the latest session.")
]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id, its first 6 characters, or `latest`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, nothing else.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]
SecretsOption = Annotated[
    bool, typer.Option("--secrets", help="Write keys and passwords too, instead of masks.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file instead of stdout."),
]
SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id, first characters of it, title or `latest`.")
]
SessionOption = Annotated[
    str | None,
    typer.Option("--session", metavar="ID", help="Go on in this session: id, title or `latest`."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def group(help_text: str) -> typer.Typer:
    """A command group in the house's form: plain help, help instead of a missing command."""
    return LateTyper(
        help=help_text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
    )


async def slug_of(runtime: "Workstation", agent: str | None) -> str | None:
    """The slug of the agent that `AgentOption` names; raises NotFound with the nearest."""
    return (await runtime.agents.get(agent.lstrip("@"))).slug if agent else None


def newest(found: list[Item], limit: int) -> list[Item]:
    """So many of a listing for which one more was asked; that there are more is told."""
    if len(found) > limit:
        narrate(f"the newest {limit:,} are shown, there are more: --limit N shows N")
    return found[:limit]


def choice(option: str, text: str | None, known: tuple[Any, ...]) -> tuple[Any, ...]:
    """The text as a tuple of one known value, empty for none; raises UsageError otherwise."""
    if text is None:
        return ()
    if text in known:
        return (text,)
    from skill_agent.errors import UsageError
    from skill_agent.text.nearest import did_you_mean

    raise UsageError(
        f"{option}: {text!r} is not one of {', '.join(known)}", hint=did_you_mean(text, known)
    )


def single() -> typer.Typer:
    """A Typer that holds one command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
