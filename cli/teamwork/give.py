"""`ska team give`: one task for one agent."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.values import PRIORITIES, Allowance, NewTask

from ..opening.running import ready_to_talk, run_with
from ..options import JsonOption, choice
from ..output import narrate
from ..surroundings import Surroundings, surroundings
from ..talk.stdin import LIMIT_BYTES, PipedText
from .following import Follower, Work
from .leaving import check_host, goes_on, no_host, told_begun, told_end

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

USUAL = Allowance()


def register(app: typer.Typer) -> None:
    app.command()(give)


def give(
    ctx: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Who is to do it.")],
    task: Annotated[list[str], typer.Argument(metavar="TASK", help="What is to be done.")],
    context: Annotated[
        str | None,
        typer.Option(
            "--context", metavar="FILE|-", help="Text that goes with it; - is standard input."
        ),
    ] = None,
    priority: Annotated[
        str, typer.Option("--priority", metavar="P", help="One of " + ", ".join(PRIORITIES) + ".")
    ] = "normal",
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, help="Tokens the model may write.")
    ] = USUAL.max_tokens,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1.0, help="Seconds it may take, waiting not counted.")
    ] = USUAL.timeout_s,
    wait: Annotated[
        bool,
        typer.Option("--wait/--detach", help="Print the result, or its id: the host goes on."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Give an agent a task, and print its result.

    The agent works on it in a conversation of its own: it knows its memories, not yours with
    another agent. The context is text to work on, and nothing in it counts as said by you. Ctrl+C
    stops the task. Without a terminal, calls of tools that need your approval are denied.

    \b
    Examples:
      ska team give luke "review this change" --context change.diff
      git diff | ska team give luke "review this" --context -
      ska team give ada "sum up the figures of the week" --detach --priority low

    \b
    Exit codes: 0 done, 1 failed, timed out or was cancelled, 2 wrong usage (also: --detach without
    a host), 3 model unavailable or money spent, 130 interrupted.
    """
    (urgency,) = choice("--priority", priority, PRIORITIES)
    around = surroundings(ctx)
    if not wait:
        check_host(around)
    new = NewTask(
        assigned_to=agent.lstrip("@"),
        instructions=" ".join(task),
        context=_context(around, context),
        priority=urgency,
        allowance=Allowance(max_tokens=max_tokens, timeout_s=seconds),
        interactive=wait and around.interactive,
    )
    ready_to_talk(around)
    done = run_with(around, partial(_work, new=new, ctx=ctx, wait=wait), role="team")
    if wait:
        told_end(done, as_json=as_json)
    else:
        told_begun(done, as_json=as_json)


async def _work(runtime: "Workstation", *, new: NewTask, ctx: typer.Context, wait: bool) -> Work:
    if wait:
        return await Follower(runtime, ctx).to_end(partial(runtime.tasks.delegate, new))
    if not goes_on(runtime):
        raise no_host()
    return await runtime.tasks.delegate(new)


def _context(around: Surroundings, source: str | None) -> str:
    """Raises UsageError for what cannot be read, is too long, or is no text."""
    if source is None:
        return ""
    if source == "-":
        import sys

        return PipedText(around.stdin or sys.stdin.buffer).text(wait_s=None, say=narrate)
    try:
        data = Path(source).read_bytes()
        if len(data) <= LIMIT_BYTES:
            return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--context: {source} cannot be read: {error}") from None
    raise UsageError(f"--context: {source} has more than {LIMIT_BYTES:,} bytes")
