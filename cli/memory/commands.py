"""`ska memory`: adding, finding, changing and auditing memories, one command each.

Moving many memories in and out is `transfer`'s; what a memory is and does is the core's.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.memory.recall.links import links_of
from skill_agent.memory.shares import HEARD_BY
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.values import (
    MEMORY_TYPES,
    Found,
    ItemKind,
    Memory,
    MemoryFilter,
    MemoryType,
    NewMemory,
    Search,
)

from ..opening.running import with_runtime
from ..options import (
    AgentOption,
    IdArgument,
    JsonOption,
    LimitOption,
    YesOption,
    choice,
    group,
    newest,
    slug_of,
)
from ..output import emit_json, emit_text, narrate, record, table, tell_masked
from ..progress import Bar
from ..surroundings import surroundings
from . import extraction, languages, shares, transfer, upkeep, versions
from .purge import purge_memory, tell_report
from .view import (
    answers_first,
    explain_found,
    found_object,
    found_row,
    memory_object,
    show_changed,
    show_list,
    story_rows,
    tell,
)

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

app = group("Add, search, correct and audit what is remembered.")

TypeOption = Annotated[
    str | None, typer.Option("--type", "-t", metavar="TYPE", help=", ".join(MEMORY_TYPES))
]


@app.command()
def add(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What to remember.")],
    agent: AgentOption = None,
    memory_type: TypeOption = None,
    subject: Annotated[
        str | None, typer.Option(help="Dotted category, e.g. user.preference.language.")
    ] = None,
    importance: Annotated[int, typer.Option(min=1, max=10, help="1 trivial to 10 vital.")] = 8,
    pin: Annotated[bool, typer.Option("--pin", help="Always put it into prompts.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remember something and print its id.

    The id is printed once the memory is on disk, never before.

    \b
    Examples:
      ska memory add "Deploys happen on Fridays, from the release branch"
      ska memory add -t procedural -a luke "Run the linter before a review" --pin
    """
    kind = _memory_type(memory_type) or "semantic"

    async def work(runtime: "Workstation") -> Memory:
        owner = await slug_of(runtime, agent)
        if owner is None and kind == "procedural":  # nobody's procedure is in nobody's prompts
            owner = runtime.settings.general.default_agent
            narrate(f"kept for {owner}; -a NAME keeps it for another agent")
        return await runtime.memory.add(
            NewMemory(
                " ".join(text),
                memory_type=kind,
                subject=subject,
                importance=importance,
                agent=owner,
                pinned=pin,
            ),
        )

    memory = with_runtime(ctx, work)
    tell_masked(len(secrets_in(" ".join(text))))
    if as_json:
        emit_json(memory_object(memory))
        return
    narrate(f"remembered as {memory.memory_type}, importance {memory.importance}, {memory.tier}"
            + (", pinned" if memory.pinned else ""))  # fmt: skip
    emit_text(memory.id)


@app.command()
def search(
    ctx: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="What to look for.")],
    limit: LimitOption = 10,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each signal's value and the reason.")
    ] = False,
    cold: Annotated[bool, typer.Option("--cold", help="Search archived memories too.")] = False,
    agent: AgentOption = None,
    kind: Annotated[
        str | None, typer.Option(metavar="memory|turn", help="Only memories, or only messages.")
    ] = None,
    memory_type: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search memories and every message word for word.

    With an agent named, only what that agent may see. Shown is what has to do with the query, what
    was told before questions and replies; --explain and --json show the nearest others too, each
    with where it came from.

    \b
    Examples:
      ska memory search "deployment day"
      ska memory search deployment --explain --limit 3
      ska memory search "api design" -a luke --kind memory --json
    """
    wanted = _memory_type(memory_type)
    kinds = _kinds(kind, wanted)

    async def work(runtime: "Workstation") -> "list[Found]":
        with Bar("indexing") as bar:
            return await runtime.memory.search(
                Search(
                    " ".join(query),
                    agent=await slug_of(runtime, agent),
                    limit=limit,
                    cold=cold,
                    kinds=kinds,
                    memory_types=(wanted,) if wanted else (),
                ),
                progress=bar,
            )

    found = with_runtime(ctx, work)
    relevant = [one for one in found if one.relevant]
    if as_json:
        emit_json([found_object(one) for one in found])
    elif explain:
        for one in found:
            explain_found(one)
    elif relevant:
        rows = map(found_row, answers_first(relevant))
        table(("id", "score", "kind", "agent", "created", "content"), rows)
    if not found:
        narrate("nothing found")
    elif not relevant:
        nearest = "" if explain or as_json else "; --explain shows the nearest"
        narrate(f"nothing relevant is remembered{nearest}")


@app.command("list")
def list_(
    ctx: typer.Context,
    agent: AgentOption = None,
    memory_type: TypeOption = None,
    status: Annotated[
        str | None, typer.Option(help="active, superseded, archived or disputed.")
    ] = None,
    tier: Annotated[str | None, typer.Option(help="hot, warm or cold.")] = None,
    pinned: Annotated[
        bool | None, typer.Option("--pinned/--unpinned", help="Only pinned, or only others.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what came from this session.")
    ] = None,
    min_importance: Annotated[int, typer.Option(min=1, max=10, help="At least so much.")] = 1,
    review: Annotated[
        bool, typer.Option("--review", help="Only those that feedback flagged for review.")
    ] = False,
    limit: LimitOption = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List memories, newest first.

    \b
    Examples:
      ska memory list --pinned
      ska memory list -t procedural -a luke --json
      ska memory list --status archived
    """
    wanted = _memory_type(memory_type)
    statuses = choice("--status", status, ("active", "superseded", "archived", "disputed"))
    tiers = choice("--tier", tier, ("hot", "warm", "cold"))

    async def work(runtime: "Workstation") -> list[Memory]:
        origin = (await runtime.conversations.find(session)).id if session else None
        return await runtime.memory.list(
            MemoryFilter(
                agent=await slug_of(runtime, agent),
                memory_types=(wanted,) if wanted else (),
                statuses=statuses,
                tiers=tiers,
                pinned=pinned,
                session=origin,
                min_importance=min_importance,
                review=review,
                limit=limit + 1,
                offset=offset,
            )
        )

    show_list(newest(with_runtime(ctx, work), limit), as_json=as_json)


@app.command()
def show(ctx: typer.Context, memory_id: IdArgument, as_json: JsonOption = False) -> None:
    """Show one memory with all that is known about it.

    \b
    Example:
      ska memory show 0198f2
    """
    memory = with_runtime(ctx, lambda runtime: runtime.memory.get(memory_id))
    if as_json:
        emit_json(memory_object(memory))
        return
    fields = memory_object(memory)
    source = fields.pop("source")
    heard = memory.metadata.get(HEARD_BY)
    fields |= {"heard by": heard} if heard else {}
    fields |= {"has to do with": [f"{one} ({why})" for one, why in links_of(memory).items()]}
    fields |= {"from session": source["session"], "from messages": source["message_ids"]}
    record((name, value) for name, value in fields.items() if name != "session")


@app.command()
def log(ctx: typer.Context, memory_id: IdArgument, as_json: JsonOption = False) -> None:
    """Tell a memory's whole story.

    The sentences it came from, every version and change, and every prompt it entered.

    \b
    Example:
      ska memory log 0198f2 --json
    """
    story = with_runtime(ctx, lambda runtime: runtime.memory.story(memory_id))
    if as_json:
        emit_json(story_rows(story))
    else:
        tell(story)


@app.command()
def pin(ctx: typer.Context, memory_id: IdArgument, as_json: JsonOption = False) -> None:
    """Pin a memory, so that it goes into every prompt.

    \b
    Example:
      ska memory pin 0198f2
    """
    memory = with_runtime(ctx, lambda runtime: runtime.memory.pin(memory_id))
    show_changed(memory, "pinned", as_json=as_json)


@app.command()
def unpin(ctx: typer.Context, memory_id: IdArgument, as_json: JsonOption = False) -> None:
    """Unpin a memory.

    It goes into a prompt only when it fits the question.

    \b
    Example:
      ska memory unpin 0198f2
    """
    memory = with_runtime(ctx, lambda runtime: runtime.memory.unpin(memory_id))
    show_changed(memory, "unpinned", as_json=as_json)


@app.command()
def forget(
    ctx: typer.Context,
    memory_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    purge: Annotated[
        bool, typer.Option("--purge", help="Erase for good, with everything that repeats it.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a memory; it can be recovered, unless it is purged.

    No prompt and no search gets it any more. It is archived, not erased: `ska memory list --status
    archived` still shows it and `ska memory restore ID` takes it back.

    With --purge it is erased for good: from the ledger, the index, caches, logs, and the exports
    and backups we made, together with its earlier versions, the messages it came from and the
    replies that repeat it. What will go is listed first; without a terminal --yes is needed.

    \b
    Examples:
      ska memory forget 0198f2 --reason "the team moved to Mondays"
      ska memory forget 0198f2 --purge
    """
    around = surroundings(ctx)
    if purge:
        _purge(ctx, memory_id, reason=reason, yes=yes, as_json=as_json)
        return

    async def work(runtime: "Workstation") -> Memory | None:
        memory = await runtime.memory.get(memory_id)
        if not yes and not around.confirm(f"Forget {memory.content!r}?"):
            return None
        return await runtime.memory.forget(memory.id, reason=reason)

    memory = with_runtime(ctx, work)
    if memory is None:
        narrate("kept")
        raise typer.Exit(1)
    show_changed(memory, "forgotten", as_json=as_json)


def _purge(ctx: typer.Context, memory_id: str, *, reason: str, yes: bool, as_json: bool) -> None:
    around = surroundings(ctx)
    erasure, report = with_runtime(
        ctx, lambda runtime: purge_memory(runtime, around, memory_id, reason=reason, yes=yes)
    )
    tell_report(around, report, [one.id for one in erasure.memories], as_json=as_json)


def _memory_type(text: str | None) -> MemoryType | None:
    return choice("--type", text, MEMORY_TYPES)[0] if text else None


def _kinds(text: str | None, wanted: MemoryType | None) -> tuple[ItemKind, ...]:
    kinds = choice("--kind", text, ("memory", "turn"))
    return kinds or (("memory",) if wanted else ("memory", "turn"))


transfer.register(app)
versions.register(app)
shares.register(app)
extraction.register(app)
upkeep.register(app)
languages.register(app)
