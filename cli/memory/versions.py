"""`ska memory correct|restore|disputes|resolve|at`: versions, contradictions, the past."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError
from skill_agent.identifiers import parse_time
from skill_agent.text.clock import day_of
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.values import Dispute, Memory, MemoryDifference, Update

from ..opening.running import with_runtime
from ..options import IdArgument, JsonOption
from ..output import emit_json, emit_text, narrate, plain, table, tell_masked
from .view import memory_object, show_changed, show_list

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the log.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("at")(at)
    app.command("correct")(correct)
    app.command("restore")(restore)
    app.command("disputes")(disputes)
    app.command("resolve")(resolve)


def correct(
    ctx: typer.Context,
    memory_id: IdArgument,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What is right.")],
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Correct a memory: a new version takes its place.

    The old version stays in the log and under `ska memory list --status superseded`; no prompt gets
    it any more. The new version's id is printed.

    \b
    Example:
      ska memory correct 0198f2 "Deploys happen on Mondays" --reason "moved in May"
    """

    async def work(runtime: "Workstation") -> Memory:
        return await runtime.memory.correct(memory_id, " ".join(text), reason=reason)

    memory = with_runtime(ctx, work)
    tell_masked(len(secrets_in(" ".join(text))))
    show_changed(memory, f"version {memory.version}", as_json=as_json)


def restore(
    ctx: typer.Context,
    memory_id: IdArgument,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a forgotten or expired memory back.

    \b
    Example:
      ska memory restore 0198f2
    """
    memory = with_runtime(ctx, lambda runtime: runtime.memory.restore(memory_id, reason=reason))
    show_changed(memory, "restored", as_json=as_json)


def disputes(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List memories that contradict each other.

    Both sides stay in prompts, marked, until one is chosen: `ska memory resolve ID`.

    \b
    Example:
      ska memory disputes
    """
    found: list[Dispute] = with_runtime(ctx, lambda runtime: runtime.memory.disputes())
    if as_json:
        emit_json([_dispute(one) for one in found])
        return
    _show_disputes(found)
    narrate(f"{len(found)} disputes" if found else "nothing is disputed")
    if found:
        narrate("ska memory resolve ID: that one is right; with --both, all of them are")


def _dispute(one: Dispute) -> dict[str, Any]:
    return {"id": one.id, "memories": [memory_object(memory) for memory in one.memories]}


def _show_disputes(found: list[Dispute]) -> None:
    for one in found:
        table(
            ("id", "said", "agent", "content"),
            ((m.id, day_of(m.created_at), m.agent, m.content) for m in one.memories),
        )
        emit_text("")


def _show_waiting(ctx: typer.Context, *, as_json: bool) -> None:
    async def work(runtime: "Workstation") -> tuple[list[Dispute], list[Update]]:
        return await runtime.memory.disputes(), await runtime.memory.updates()

    disputed, updated = with_runtime(ctx, work)
    if as_json:
        emit_json({"disputes": [_dispute(one) for one in disputed],
                   "updates": [_update(one) for one in updated]})  # fmt: skip
        return
    _show_disputes(disputed)
    for one in updated:
        sure = f"{one.by}, {one.probability:.0%}" if one.probability is not None else one.by
        table(
            (one.state, "said", f"noticed {day_of(one.at)} by {sure}"),
            ((m.id, day_of(m.created_at), m.content) for m in (one.older, one.newer)),
        )
        emit_text("")
    count = len(disputed) + len(updated)
    narrate(
        f"{count} to decide: ska memory resolve ID, --both or --undo" if count else "nothing waits"
    )


def _update(one: Update) -> dict[str, Any]:
    sides = {"older": memory_object(one.older), "newer": memory_object(one.newer)}
    told = {
        name: plain(getattr(one, name)) for name in ("state", "by", "reason", "probability", "at")
    }
    return {**sides, **told}


def resolve(
    ctx: typer.Context,
    memory_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The one that is right; else all that waits.")
    ] = None,
    both: Annotated[
        bool, typer.Option("--both", help="All sides are true; none replaces another.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Nothing changed: what gave way stands again.")
    ] = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what waits for a decision, or decide: the memory named is right and replaces the others.

    What waits are disputes, and memories about which something newer was said: these both stand,
    the newer one first, until one is chosen.

    \b
    Examples:
      ska memory resolve
      ska memory resolve 0198f2
      ska memory resolve 0198f2 --both --reason "two offices"
      ska memory resolve 0198f2 --undo
    """
    if memory_id is None:
        if both or undo:
            raise UsageError("a decision needs a memory", hint="ska memory resolve ID --both")
        _show_waiting(ctx, as_json=as_json)
        return

    async def work(runtime: "Workstation") -> list[Memory]:
        return await runtime.memory.resolve(memory_id, both=both, undo=undo, reason=reason)

    memories = with_runtime(ctx, work)
    if both or undo or as_json:
        show_list(memories, as_json=as_json)
    else:
        show_changed(memories[0], "right", as_json=False)


def at(
    ctx: typer.Context,
    moment: Annotated[
        str, typer.Argument(metavar="TIMESTAMP", help="ISO 8601; UTC unless it says otherwise.")
    ],
    diff: Annotated[
        str | None,
        typer.Option("--diff", metavar="TIMESTAMP", help="Show what changed between the two."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the memories as they were at a moment, or what changed between two.

    They are rebuilt from the log alone.

    \b
    Examples:
      ska memory at 2026-03-01
      ska memory at 2026-03-01T09:30:00+02:00 --json
      ska memory at 2026-03-01 --diff 2026-04-01
    """
    when = _moment(moment)
    if diff is None:
        show_list(with_runtime(ctx, lambda runtime: runtime.memory.at(when)), as_json=as_json)
        return
    earlier, later = sorted((when, _moment(diff)))

    async def work(runtime: "Workstation") -> list[MemoryDifference]:
        return await runtime.memory.difference(earlier, later)

    found = with_runtime(ctx, work)
    if as_json:
        emit_json([_difference(one) for one in found])
        return
    table(
        ("id", "change", "fields", "content"),
        ((one.id, one.change, _fields(one), one.memory.content) for one in found),
        empty="nothing changed",
    )


def _difference(one: MemoryDifference) -> dict[str, Any]:
    fields = {
        name: {"before": plain(before), "after": plain(after)}
        for name, (before, after) in one.fields.items()
    }
    memory = {"memory": memory_object(one.memory)}
    return {"id": one.id, "change": one.change, "fields": fields, **memory}


def _fields(one: MemoryDifference) -> str:
    """What changed, short; when it was written says nothing of its own."""
    return ", ".join(
        f"{name}: {plain(before)} → {plain(after)}"
        for name, (before, after) in one.fields.items()
        if name not in ("updated_at", "metadata", "content")
    )


def _moment(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no ISO 8601 time", hint="for example 2026-03-01T09:30:00Z"
        ) from None
