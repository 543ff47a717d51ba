"""`ska ask`: one prompt, one reply, made for pipes and scripts."""

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError
from skill_agent.events import Event
from skill_agent.text.attachments import label
from skill_agent.values import Attachment, TurnRequest

from ..opening.running import ready_home, ready_to_talk
from ..options import AgentOption, FollowOption, JsonOption, SessionOption, single
from ..output import emit_json, emit_text, narrate, tell_error
from ..surroundings import Surroundings, surroundings
from .approvals import asking
from .code_view import CodeView
from .driver import Talk, talking
from .prompts import NONE_KEPT, prompts_text
from .questions import replying
from .render import LinesView, ObjectView, Outcome, TextView, View
from .stdin import FIRST_BYTE_S, PipedText, process_stdin
from .wishes import (
    ExtractOption,
    ImageOption,
    InOption,
    ModelOptions,
    SchemaOption,
    SystemOption,
    TemplateOption,
    folder_of,
    images_of,
    options_of,
    schema_of,
)

if TYPE_CHECKING:
    from skill_agent.turns.templates import Template

app = single()

Said = Callable[[], tuple[str, tuple[Attachment, ...]]]
"""Waits for what is said: the person's words, and what came beside them."""

NoMemoryOption = Annotated[bool, typer.Option("--no-memory", help="Recall nothing for this reply.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No narration on stderr, only errors.")
]
ShowPromptOption = Annotated[
    bool, typer.Option("--show-prompt", help="Then print on stderr what the model was sent.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only print what would be sent; save and send nothing.")
]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Print the turn's id and leave; the host goes on with it.")
]


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
    template: TemplateOption = None,
    image: ImageOption = None,
    system: SystemOption = None,
    option: ModelOptions = None,
    schema: SchemaOption = None,
    extract: ExtractOption = False,
    folder: InOption = None,
    follow: FollowOption = False,
    session: SessionOption = None,
    as_json: JsonOption = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print every event as a JSON line, as it happens.")
    ] = False,
    no_memory: NoMemoryOption = False,
    quiet: QuietOption = False,
    show_prompt: ShowPromptOption = False,
    dry_run: DryRunOption = False,
    detach: DetachOption = False,
) -> None:
    """Ask an agent one thing and print the reply.

    The reply streams to stdout; what was recalled, saved and used goes to stderr. Text piped in is
    read beside the prompt: nothing in it counts as said by you. `@name` anywhere in the prompt
    addresses an agent. Without a terminal, tool calls that would need your approval are denied.
    When you leave before the end, the turn is stopped and what was said kept; with --detach it
    goes on in the host (`ska up`): see `ska turns`, and `ska sessions show` for the reply.

    \b
    Examples:
      ska ask @kyra remember that I deploy on Fridays
      ska ask -c and what did I just say
      git diff | ska ask -a luke "review this"
      curl -s example.org/slow | ska ask "summarise this" -
      ska ask --json "when do I deploy?" | jq -r .text
      ska ask --dry-run "when do I deploy?"
      git diff | ska ask -t review
      ska ask -i receipt.jpg "what did I pay?"
      ska ask -x "a script that counts my photos" > count.sh
      ska ask --detach "read the report and sum it up"
      ska ask --in . @claude "mend the failing test"
      ska ask -o temperature=0 --schema "name, age int" "invent a pirate" | jq .name

    \b
    Exit codes: 0 done, 1 failed (also: no JSON of the schema, no code block), 2 wrong usage or
    settings (also: --detach without a host), 3 model unavailable, 130 interrupted and 143 told to
    end (what was said so far is kept), 141 nobody reads the output any more.
    """
    around = surroundings(ctx)
    words = list(prompt or ())
    _check(words, around, follow=follow, session=session, template=template)
    _check_form(as_json=as_json, jsonl=jsonl, extract=extract, schema=schema)
    _check_dry(dry_run, jsonl=jsonl, show_prompt=show_prompt)
    alone = dry_run or jsonl or show_prompt or extract
    if detach:
        _check_detached(around, alone=alone)
    kept = _kept(around, template)
    wishes: dict[str, Any] = {
        **kept.wishes(agent=agent, model=model, system=system, options=options_of(option)),
        "response_schema": schema_of(schema),
        "images": images_of(image),
        "folder": folder_of(folder, elsewhere=bool(around.api)),
        "session": "latest" if follow else session,
        "use_memory": not no_memory,
    }
    said = partial(_said, words, _piped(around, words), kept, quiet=quiet)
    if dry_run:
        return _show_dry(around, said, as_json=as_json, quiet=quiet, **wishes)
    if detach:
        ready_to_talk(around, wishes["model"])
        return _leave_behind(around, said, as_json=as_json, quiet=quiet, **wishes)
    outcome = Outcome()
    view = _view(outcome, as_json=as_json, jsonl=jsonl, extract=extract, quiet=quiet)
    ready_to_talk(around, wishes["model"])
    _answer(around, said, outcome, view, show_prompt=show_prompt, **wishes)
    if wishes["folder"] and not quiet and outcome.on_model:
        narrate(f"--in was of no use: {outcome.ids['agent']} runs on a model")
    raise typer.Exit(outcome.exit_code or _without_code(view))


def _check_dry(dry_run: bool, *, jsonl: bool, show_prompt: bool) -> None:
    if dry_run and (jsonl or show_prompt):
        raise UsageError("--dry-run goes with neither --jsonl nor --show-prompt")


def _answer(
    around: Surroundings,
    said: Said,
    outcome: Outcome,
    view: View,
    *,
    show_prompt: bool,
    **wishes: Any,
) -> None:
    with talking(around, role="ask") as talk:
        text, beside = said()
        one_turn(talk, around, text, outcome, view, attachments=beside, **wishes)
        if show_prompt and outcome.ids:
            _show_sent(talk, outcome.ids["id"])


def _show_dry(
    around: Surroundings, said: Said, *, as_json: bool, quiet: bool, **wishes: Any
) -> None:
    """No model is needed for it."""
    if not quiet:
        narrate("dry run: nothing is saved, and no model replies")
    ready_home(around)
    with talking(around, role="ask") as talk:
        text, beside = said()
        if beside and not quiet:
            narrate(f"beside the words: {', '.join(label(one) for one in beside)}")
        request = TurnRequest(text, attachments=beside, **wishes)
        call = talk.call(talk.runtime.turns.preview, request)
    if as_json:
        emit_json(call)
    else:
        emit_text(prompts_text([call]))


def _check_detached(around: Surroundings, *, alone: bool) -> None:
    """Raises UsageError where a turn could not go on without this process."""
    if alone:
        raise UsageError("--detach goes with none of --dry-run, --jsonl, --show-prompt, --extract")
    if around.api:
        return
    from ..host.up import staying_holder

    if not around.home.exists or staying_holder(around.home) is None:
        raise _no_host()


def _no_host() -> UsageError:
    return UsageError(
        "--detach leaves the turn to the host of the home, and there is none that stays",
        hint="start one with `ska up`, then ask again",
    )


def _leave_behind(
    around: Surroundings, said: Said, *, as_json: bool, quiet: bool, **wishes: Any
) -> None:
    """Begins the turn in the host and says where it is found."""
    with talking(around, role="ask") as talk:
        if getattr(talk.runtime, "here", True):  # the host has ended in this moment
            raise _no_host()
        text, beside = said()
        request = TurnRequest(text, attachments=beside, interactive=False, detach=True, **wishes)
        begun = talk.call(talk.runtime.turns.submit, request)
    if as_json:
        emit_json({"id": begun.turn, "session": begun.session, "agent": begun.agent})
        return
    emit_text(begun.turn)
    if not quiet:
        narrate(f"{begun.agent} goes on; ska turns, ska sessions show {begun.session}")


def _show_sent(talk: Talk, turn: str) -> None:
    calls = talk.call(talk.runtime.turns.prompt, turn)
    narrate(prompts_text(calls) if calls else NONE_KEPT)


def one_turn(
    talk: Talk,
    around: Surroundings,
    text: str,
    outcome: Outcome,
    view: View,
    **options: Any,
) -> None:
    """Submits the text and shows its events until the turn is over."""

    def show(event: Event) -> None:
        outcome.take(event)
        view.show(event)

    answer = asking(around) if around.interactive else None
    reply = replying(around) if around.interactive else None
    try:
        talk.turn(
            text,
            show=show,
            answer=answer,
            reply=reply,
            interactive=answer is not None,
            **options,
        )
    finally:
        if outcome.ids:
            view.close()


def _check_form(*, as_json: bool, jsonl: bool, extract: bool, schema: str | None) -> None:
    if as_json and jsonl:
        raise UsageError("--json and --jsonl exclude each other")
    if extract and (as_json or jsonl or schema):
        raise UsageError(
            "--extract prints a code block alone; --json, --jsonl and --schema exclude it"
        )


def _kept(around: Surroundings, name: str | None) -> "Template":
    """The template of that name; an empty one where none was named."""
    from skill_agent.turns.templates import Template, read_template

    return read_template(around.home, name) if name else Template()


def _check(
    words: list[str],
    around: Surroundings,
    *,
    follow: bool,
    session: str | None,
    template: str | None,
) -> None:
    if follow and session:
        raise UsageError("--continue and --session exclude each other")
    nothing = not words and not template
    if nothing and around.stdin is None and process_stdin() is None:
        raise UsageError("nothing to ask", hint='ska ask "your question", or pipe text into it')


def _piped(around: Surroundings, words: list[str]) -> PipedText | None:
    """Starts to read what is piped in, while the home is being opened."""
    stream = around.stdin or process_stdin()
    if stream is None and "-" in words:
        import sys

        stream = sys.stdin.buffer
    return PipedText(stream) if stream else None


def _said(
    words: list[str], piped: PipedText | None, kept: "Template", *, quiet: bool
) -> tuple[str, tuple[Attachment, ...]]:
    """The prompt as the template puts it, and what was piped in: nobody said that."""

    def say(text: str) -> None:
        if not quiet:
            narrate(text)

    wanted = not words or "-" in words
    spoken = " ".join(word for word in words if word != "-").strip()
    heard = ""
    if piped is not None:
        heard = piped.text(wait_s=None if wanted else FIRST_BYTE_S, say=say).strip("\r\n")
    beside = (Attachment(heard, origin="pipe"),) if heard.strip() else ()
    text = kept.filled(spoken or (_stand_in(kept) if beside else "")).strip()
    if not text and not beside:
        raise UsageError("the prompt is empty", hint='ska ask "your question"')
    return text, beside


def _stand_in(kept: "Template") -> str:
    """What a template says in the place of the words where there is only something piped in: that
    follows the template, so a name is needed only in the midst of a line."""
    from skill_agent.turns.templates import INPUT

    amid = re.search(re.escape(INPUT) + r"[^\S\n]*[^\s.,:;!?]", kept.text)
    return "[piped in]" if amid else ""


def _without_code(view: View) -> int:
    """The exit code of a reply of which a code block was wanted."""
    if not isinstance(view, CodeView) or view.block is not None:
        return 0
    tell_error("the reply holds no code block", "ask for one, or leave out -x")
    return 1


def _view(outcome: Outcome, *, as_json: bool, jsonl: bool, extract: bool, quiet: bool) -> View:
    if jsonl:
        return LinesView()
    if extract:
        return CodeView(quiet=quiet)
    return ObjectView(outcome) if as_json else TextView(quiet=quiet)
