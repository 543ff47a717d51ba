"""`ska sessions`: finding, reading, renaming, exporting and putting away conversations."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.conversations.told_apart import told_apart
from skill_agent.errors import UsageError
from skill_agent.files.private import write_private
from skill_agent.text.attachments import label
from skill_agent.text.printing import json_shown
from skill_agent.text.redaction import Masker
from skill_agent.values import Message, ModelCall, Session
from skill_agent.workstation.exported import FORMS, exported, session_object
from skill_agent.workstation.past import Past, past_of
from skill_agent.workstation.retold import retold, speaker

from ..opening.running import with_runtime
from ..options import (
    JsonOption,
    LimitOption,
    OutputOption,
    SessionArgument,
    YesOption,
    group,
    newest,
)
from ..output import emit_json, emit_text, narrate, plain, table, tell_masked
from ..surroundings import surroundings
from . import seats, session_marks
from .prompts import NONE_KEPT, prompts_text

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

app = group("Find, read, export, branch, hand over, delete conversations.")

_NONE = 'no conversations yet (ska ask "hello")'


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: LimitOption = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many.")] = 0,
    archived: Annotated[bool, typer.Option("--archived", help="Those put away.")] = False,
    pinned: Annotated[bool, typer.Option("--pinned", help="Only pinned ones.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List conversations, latest first.

    \b
    Examples:
      ska sessions list
      ska sessions list --json | jq -r '.[0].id'
      ska sessions list --archived
    """

    async def work(runtime: "Workstation") -> list[Session]:
        found = await runtime.conversations.list(
            limit=offset + limit + 1, archived=archived, pinned=pinned
        )
        return found[offset:]

    found = newest(with_runtime(ctx, work), limit)
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "agent", "messages", "last", "title"),
        ((one.id, one.agent, one.messages, one.updated_at, one.title) for one in found),
        empty=_NONE if not (archived or pinned) else "none",
    )


@app.command()
def show(
    ctx: typer.Context,
    session: SessionArgument = "latest",
    last: Annotated[int, typer.Option(min=0, help="Only so many from the end; 0 is all.")] = 0,
    prompts: Annotated[
        bool, typer.Option("--prompts", help="What models were sent and answered instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read a conversation, word for word.

    Prompts are kept for as long as `[privacy]` of config.toml says, and go with what is erased.

    \b
    Examples:
      ska sessions show
      ska sessions show "release plan" --last 10
      ska sessions show --last 2 --prompts
    """
    if prompts:
        _show_prompts(with_runtime(ctx, partial(_calls, session=session, last=last)), as_json)
        return

    found, past = with_runtime(ctx, partial(_conversation, session=session, last=last))
    if as_json:
        emit_json(session_object(found, past))
    else:
        emit_text(retold(found, past).rstrip("\n"))


async def _calls(runtime: "Workstation", *, session: str, last: int) -> list[ModelCall]:
    """What was sent for the turns of the messages that would be shown."""
    found = await runtime.conversations.find(session)
    messages = await runtime.conversations.messages(found.id, last=last)
    turns = dict.fromkeys(message.turn for message in messages)
    return [call for turn in turns for call in await runtime.turns.prompt(turn)]


def _show_prompts(calls: list[ModelCall], as_json: bool) -> None:
    if as_json:
        emit_json(calls)
        return
    turns = dict.fromkeys(call.turn for call in calls)
    for turn in turns:
        emit_text(prompts_text([call for call in calls if call.turn == turn]) + "\n\n")
    if not calls:
        narrate(NONE_KEPT)


@app.command()
def search(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What was said.")],
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Find messages that contain a text.

    Upper and lower case are the same; newest first. For a search by meaning use `ska memory
    search`.

    \b
    Example:
      ska sessions search "release branch"
    """
    found = with_runtime(
        ctx, lambda runtime: runtime.conversations.search(" ".join(text), limit=limit + 1)
    )
    found = newest(found, limit)
    if as_json:
        emit_json(found)
        return
    table(
        ("session", "at", "who", "text"),
        ((one.session, one.created_at, speaker(one), _briefly(one)) for one in found),
        empty="nothing found",
    )


@app.command()
def rename(
    ctx: typer.Context,
    session: SessionArgument,
    title: Annotated[list[str], typer.Argument(metavar="TITLE", help="The new title.")],
    as_json: JsonOption = False,
) -> None:
    """Give a conversation another title.

    \b
    Example:
      ska sessions rename latest "Release plan"
    """
    found = with_runtime(
        ctx, lambda runtime: runtime.conversations.rename(session, " ".join(title))
    )
    _changed(found, "renamed to", as_json=as_json)


@app.command()
def export(
    ctx: typer.Context,
    session: SessionArgument = "latest",
    form: Annotated[
        str,
        typer.Option(
            "--format", "-f", metavar="|".join(FORMS), help="Markdown, HTML, JSON or a picture."
        ),
    ] = "md",
    output: OutputOption = None,
) -> None:
    """Write a conversation to a file or a pipe; keys and passwords in it are masked.

    \b
    Examples:
      ska sessions export latest > talk.md
      ska sessions export 0198f2 --format json --output talk.json
    """
    if form not in FORMS:
        raise UsageError(f"--format: {form!r} is not one of {', '.join(FORMS)}")

    masker = Masker()

    async def work(runtime: "Workstation") -> tuple[str, int]:
        found, past = await _conversation(runtime, session=session, last=0)
        document = exported(found, past, form, masker)
        if output is not None:
            write_private(output.absolute(), document)
            # So that erasing reaches it.
            await runtime.user_data.note_written(str(output.absolute()), "sessions")
        return document, len(past.messages)

    document, count = with_runtime(ctx, work)
    tell_masked(masker.count)
    if output is not None:
        narrate(f"{count} messages written to {output}")
    elif sys.stdout.isatty():
        emit_text(json_shown(document) if form == "json" else document)
    else:
        sys.stdout.write(document)


@app.command()
def compact(
    ctx: typer.Context, session: SessionArgument = "latest", as_json: JsonOption = False
) -> None:
    """Sum up all but the newest messages of a conversation now.

    What they say is read into memory first and read back; from then on a summary stands for them in
    the prompt. They stay in the conversation, word for word, and can be searched. With an embedded
    model this takes minutes.

    \b
    Example:
      ska sessions compact latest
    """
    narrate("reading what will be summed up …")
    done = with_runtime(ctx, lambda runtime: runtime.summaries.compact(session))
    if as_json:
        emit_json({"id": done.session, **plain(done)} if done else {"id": session, "messages": 0})
    elif done is not None:
        narrate(done.line)
        emit_text(done.summary)
    if done is None:
        narrate("nothing to sum up: the newest messages always stay as they are")


@app.command()
def delete(
    ctx: typer.Context,
    session: SessionArgument,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a conversation.

    It leaves the list, and its messages leave recall. It is archived, not erased; memories made
    from it stay.

    \b
    Example:
      ska sessions delete "release plan" --yes
    """
    around = surroundings(ctx)

    async def work(runtime: "Workstation") -> Session | None:
        found = await runtime.conversations.find(session)
        question = f"Delete {found.title!r} ({found.messages} messages)?"
        if not yes and not around.confirm(question, default=True):
            return None
        return await runtime.conversations.delete(found.id)

    found = with_runtime(ctx, work)
    if found is None:
        narrate("kept")
        raise typer.Exit(1)
    _changed(found, "deleted", as_json=as_json)


async def _conversation(runtime: "Workstation", *, session: str, last: int) -> tuple[Session, Past]:
    found = await runtime.conversations.find(session)
    return found, await past_of(runtime, found.id, last=last)


def _changed(found: Session, what: str, *, as_json: bool) -> None:
    if as_json:
        emit_json(found)
    else:
        narrate(f"{what} {found.title!r}")
        emit_text(found.id)


def _briefly(message: Message) -> str:
    """The beginning of the words, and what came beside them."""
    beside = [f"[{label(one)}]" for one in told_apart(message)[1]]
    return " ".join([message.content[:200], *beside]).strip()


session_marks.register(app)
seats.register(app)
