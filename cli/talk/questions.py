"""`ska questions`: what jobs, collaborations and tools ask, and answering it."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import Conflict, UsageError
from skill_agent.events import QuestionAsked
from skill_agent.text.attachments import writers
from skill_agent.text.clock import minute_of
from skill_agent.text.decisions import in_a_row, in_one_line, value_lines
from skill_agent.workstation.answer_words import AnswerWords

from ..lazy import LateTyper
from ..opening.running import with_runtime
from ..options import JsonOption
from ..output import emit_json, emit_text, narrate, table
from ..streams import drop_typed_ahead
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skill_agent.values import Question
    from skill_agent.workstation import Workstation

app = LateTyper(
    help="Answer what jobs, collaborations and tools ask.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)

BY = "the command line"


@app.callback()
def questions(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Answer what jobs, collaborations and tools ask.

    Without a command it lists what waits.

    \b
    Examples:
      ska questions
      ska questions answer 01a1fd77 "yes"
    """
    if ctx.invoked_subcommand is None:
        _show_all(ctx, waiting=True, limit=50, as_json=as_json)
    elif as_json:
        raise UsageError("put --json behind the command", hint="ska questions list --json")


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that are settled, too; the newest first.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the questions that wait, the oldest first.

    \b
    Example:
      ska questions list
    """
    _show_all(ctx, waiting=not everything, limit=limit, as_json=as_json)


def _show_all(ctx: typer.Context, *, waiting: bool, limit: int, as_json: bool) -> None:
    found = with_runtime(ctx, partial(_listed, waiting=waiting, limit=limit))
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "who", "asks", "state", "if nobody answers", "until"),
        (
            (
                one.id,
                one.agent or one.source,
                in_one_line(one.text),
                _state(one),
                one.default,
                one.expires,
            )
            for one in found
        ),
        empty="nothing waits for an answer",
    )


async def _listed(runtime: "Workstation", *, waiting: bool, limit: int) -> "list[Question]":
    return await runtime.questions.list(waiting=waiting, limit=limit)


def _state(one: "Question") -> str:
    if one.state != "answered":
        return one.state.replace("_", " ")
    return f"{one.action}: {in_one_line(one.words)}" if one.words else str(one.action)


@app.command()
def show(
    ctx: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="ID", help="As `list` shows it, or its beginning.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show one question whole, with what is to be decided on.

    \b
    Example:
      ska questions show 0193f2a0
    """
    one = with_runtime(ctx, lambda runtime: runtime.questions.get(question))
    if as_json:
        emit_json(one)
        return
    for line in _lines(one):
        emit_text(line)


def _lines(one: "Question") -> "Iterator[str]":
    yield from value_lines(one.text)
    yield from (f"  │ {line}" for line in value_lines(one.detail) if one.detail)
    if one.chain:
        yield f"  asked for by: {in_a_row(one.chain)}"
    if one.origins:
        yield f"  {writers(one.origins)} stands in it"
    yield f"  asked by {one.agent or one.source}, {minute_of(one.created_at)}"
    if one.state == "waiting":
        yield f"  waits until {one.expires:%Y-%m-%d %H:%M} UTC, then: {one.default}"
        yield f"  answer: ska questions answer {one.id} yes"
    else:
        yield f"  {_state(one)} (by {in_one_line(one.by)})"


@app.command()
def answer(
    ctx: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="ID", help="As `list` shows it, or its beginning.")
    ],
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="yes, no, or what is to be different.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Answer a question in words: proceed, cancel, or what is to be different.

    In any language `ska questions words` lists. What is not clear answers nothing.

    \b
    Examples:
      ska questions answer 0193f2a0 yes
      ska questions answer 0193f2a0 change the title to Spring

    \b
    Exit codes: 0 answered, 2 not clear, or settled before.
    """
    said = " ".join(words)
    done = with_runtime(ctx, lambda runtime: runtime.questions.answer(question, said, by=BY))
    if as_json:
        emit_json(done)
        return
    narrate(f"answered: {_state(done)}")


@app.command("words")
def words_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the words that answer a question, by language.

    More of them can be named in config.toml, under [hitl].

    \b
    Example:
      ska questions words
    """
    found = with_runtime(ctx, lambda runtime: AnswerWords(runtime.questions).get())
    if as_json:
        emit_json(found)
        return
    table(
        ("language", "proceed", "revise", "cancel"),
        ((one.id, *(", ".join(some) for some in (one.proceed, one.revise, one.cancel)))
         for one in found),
    )  # fmt: skip


def telling(event: QuestionAsked) -> "Iterator[str]":
    """All that is asked, for whoever sits at a terminal."""
    yield f"{in_one_line(event.agent) or 'a job'} asks: {in_one_line(event.text)}"
    yield from (f"    │ {line}" for line in value_lines(event.detail) if event.detail)


def replying(around: Surroundings) -> "Callable[[QuestionAsked], str]":
    """Asks on stderr and gives what was said."""

    def reply(event: QuestionAsked) -> str:
        for line in telling(event):
            narrate(line)
        drop_typed_ahead()
        return around.read_line("yes, no, or what is to be different? ").strip()

    return reply


def not_taken(problem: UsageError) -> bool:
    """Tells why an answer did not count; whether another one makes sense."""
    narrate(f"{problem.message}. {problem.hint or ''}".strip())
    return not isinstance(problem, Conflict)
