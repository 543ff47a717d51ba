"""`ska ask`: one prompt, one reply, made for pipes and scripts."""

from typing import Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.events import Event

from ..opening.running import ready_to_talk
from ..options import AgentOption, FollowOption, JsonOption, SessionOption, single
from ..output import narrate
from ..surroundings import Surroundings, surroundings
from .approvals import asking
from .driver import Talk, talking
from .render import LinesView, ObjectView, Outcome, TextView, View
from .stdin import FIRST_BYTE_S, PipedText, process_stdin

app = single()


@app.command()
def ask(
    ctx: typer.Context,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", help="What to say; - stands for standard input."),
    ] = None,
    agent: AgentOption = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Model for this reply only."),
    ] = None,
    follow: FollowOption = False,
    session: SessionOption = None,
    as_json: JsonOption = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every event as a JSON line, as it happens.")
    ] = False,
    no_memory: Annotated[
        bool, typer.Option("--no-memory", help="Recall nothing for this reply.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No narration on stderr, only errors.")
    ] = False,
) -> None:
    """Ask an agent one thing and print the reply.

    The reply streams to stdout; what was recalled, saved and used goes to stderr. Text piped in is
    added after the prompt, with an empty line between. `@name` anywhere in the prompt addresses an
    agent. Without a terminal, tool calls that would need your approval are denied.

    \b
    Examples:
      ska ask @kyra remember that I deploy on Fridays
      ska ask -c and what did I just say
      git diff | ska ask -a luke "review this"
      curl -s example.org/slow | ska ask "summarise this" -
      ska ask --json "when do I deploy?" | jq -r .text

    \b
    Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 model unavailable,
    130 interrupted (what was said so far is kept).
    """
    around = surroundings(ctx)
    words = list(prompt or ())
    _check(words, around, as_json=as_json, jsonl=jsonl, follow=follow, session=session)
    piped = _piped(around, words)
    outcome = Outcome()
    view = _view(outcome, as_json=as_json, jsonl=jsonl, quiet=quiet)
    ready_to_talk(around, model)
    with talking(around, role="ask") as talk:
        text = _text(words, piped, quiet=quiet)
        one_turn(
            talk,
            around,
            text,
            outcome,
            view,
            session="latest" if follow else session,
            agent=agent,
            model=model,
            use_memory=not no_memory,
        )
    raise typer.Exit(outcome.exit_code)


def one_turn(
    talk: Talk,
    around: Surroundings,
    text: str,
    outcome: Outcome,
    view: View,
    **options: str | bool | None,
) -> None:
    """Submits the text and shows its events until the turn is over."""

    def show(event: Event) -> None:
        outcome.take(event)
        view.show(event)

    answer = asking(around) if around.interactive else None
    try:
        talk.turn(text, show=show, answer=answer, interactive=answer is not None, **options)
    finally:
        if outcome.ids:
            view.close()


def _check(
    words: list[str],
    around: Surroundings,
    *,
    as_json: bool,
    jsonl: bool,
    follow: bool,
    session: str | None,
) -> None:
    if as_json and jsonl:
        raise UsageError("--json and --jsonl exclude each other")
    if follow and session:
        raise UsageError("--continue and --session exclude each other")
    if not words and around.stdin is None and process_stdin() is None:
        raise UsageError("nothing to ask", hint='ska ask "your question", or pipe text into it')


def _piped(around: Surroundings, words: list[str]) -> PipedText | None:
    """Starts to read what is piped in, while the home is being opened."""
    stream = around.stdin or process_stdin()
    if stream is None and "-" in words:
        import sys

        stream = sys.stdin.buffer
    return PipedText(stream) if stream else None


def _text(words: list[str], piped: PipedText | None, *, quiet: bool) -> str:
    """The prompt, and after an empty line what was piped in."""

    def say(text: str) -> None:
        if not quiet:
            narrate(text)

    wanted = not words or "-" in words
    spoken = " ".join(word for word in words if word != "-").strip()
    heard = ""
    if piped is not None:
        heard = piped.text(wait_s=None if wanted else FIRST_BYTE_S, say=say).strip()
    text = "\n\n".join(part for part in (spoken, heard) if part)
    if not text:
        raise UsageError("the prompt is empty", hint='ska ask "your question"')
    return text


def _view(outcome: Outcome, *, as_json: bool, jsonl: bool, quiet: bool) -> View:
    if jsonl:
        return LinesView()
    return ObjectView(outcome) if as_json else TextView(quiet=quiet)
