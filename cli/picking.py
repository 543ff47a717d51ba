"""`--jq` and `--format` on every command that prints JSON, made here once for all of them.

An expression or template is read before the command does anything, so that a mistake in it leaves
nothing half-done. What is picked from is what `--json` would print.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
import typer.main
from typer.models import CommandInfo

Picks = Callable[[Any], Iterator[Any]]
"""Of one JSON document what is to be printed, texts as they are; raises UsageError."""
LONGEST = 10_000
"""Characters of an expression or template."""

chosen: ContextVar[Picks | None] = ContextVar("chosen", default=None)
"""How the command that runs is to print its JSON, where it was told."""


def with_picks(command: Any) -> Any:
    """The command, with both options where it has `--json`; they imply that."""
    known = {name: one for one in command.params for name in one.opts}
    if "--json" not in known:
        return command
    fresh = [one for one in _options() if not known.keys() & {*one.opts}]
    at = command.params.index(known["--json"]) + 1
    command.params[at:at] = fresh
    theirs, flag = command.invoke, known["--json"].name

    def invoke(ctx: Any) -> Any:
        picks = ctx.meta.get(__name__)
        if picks is None:
            return theirs(ctx)
        ctx.params[flag] = True
        token = chosen.set(picks)
        try:
            return theirs(ctx)
        finally:
            chosen.reset(token)

    command.invoke = invoke
    return command


def _options() -> list[Any]:
    """The two as Typer makes options; they keep what they read for `invoke`."""
    made = typer.main.get_command_from_info(
        CommandInfo(callback=_both), pretty_exceptions_short=False, rich_markup_mode=None
    )
    for one in made.params:
        one.expose_value = False
    return made.params


def _keep(ctx: typer.Context, read: Callable[[str], Picks], text: str | None) -> None:
    if text is None:
        return
    from skill_agent.errors import UsageError

    if __name__ in ctx.meta:
        raise UsageError("--jq and --format exclude each other")
    if len(text) > LONGEST:
        raise UsageError(f"at most {LONGEST:,} characters")
    ctx.meta[__name__] = read(text)


def _keep_jq(ctx: typer.Context, text: str | None) -> None:
    _keep(ctx, jq_of, text)


def _keep_format(ctx: typer.Context, text: str | None) -> None:
    _keep(ctx, template_of, text)


def _both(
    jq: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR", callback=_keep_jq, help="Print what this jq expression picks."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            callback=_keep_format,
            help="Print a line per item: a Jinja template of the JSON's fields.",
        ),
    ] = None,
) -> None:
    """Never called; Typer reads the options off it."""


def jq_of(expression: str) -> Picks:
    """What an expression of jq picks."""
    from skill_agent.errors import UsageError

    try:
        import jq
    except ImportError:
        raise UsageError(
            "--jq is not there on this system", hint="pipe --json into a jq of yours"
        ) from None
    try:
        program = jq.compile(expression)
    except ValueError as error:
        raise UsageError(f"--jq: {_first_line(error)}", hint="https://jqlang.org/manual") from None

    def picks(document: Any) -> Iterator[Any]:
        found = iter(program.input_value(document))
        while True:
            try:
                one = next(found)
            except StopIteration:
                return
            except ValueError as error:
                raise UsageError(f"--jq: {_first_line(error)}") from None
            yield one

    return picks


def template_of(text: str) -> Picks:
    """One line for each item of a listing, one for a single thing; what is missing is empty."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from skill_agent.errors import UsageError

    environment = ImmutableSandboxedEnvironment(keep_trailing_newline=False)
    environment.filters["ago"] = _ago
    try:
        template = environment.from_string(text.replace("\\n", "\n").replace("\\t", "\t"))
    except TemplateError as error:
        raise UsageError(
            f"--format: {_first_line(error)}", hint="e.g. --format '{{ id }}  {{ title }}'"
        ) from None

    def picks(document: Any) -> Iterator[Any]:
        for item in document if isinstance(document, list) else [document]:
            fields = item if isinstance(item, dict) else {}
            try:
                yield template.render({**fields, "it": item})
            except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
                raise UsageError(f"--format: {_first_line(error)}") from None

    return picks


def _ago(moment: object) -> str:
    """`2 h 5 min` since a time as JSON has it; empty for what is none."""
    from skill_agent.text.clock import spoken

    with suppress(ValueError):
        since = datetime.now(UTC) - datetime.fromisoformat(str(moment))
        return spoken(max(0, int(since.total_seconds())))
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
