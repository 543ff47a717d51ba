"""`ska memory import --from …`, `imports`, `confirm`: what a person has in other programs."""

from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError
from skill_agent.text.clock import minute_of
from skill_agent.values import PAST_SOURCES, NewWork, PastRequest, Work

from ..jobs.leaving import check_detached, left_behind, told_left
from ..opening.running import with_runtime
from ..options import JsonOption, YesOption, choice, slug_of
from ..output import emit_json, emit_text, narrate, plain, table
from ..progress import Bar
from ..surroundings import Surroundings, on_this_machine, surroundings
from .import_plan import agreed_to
from .indexing import index_now
from .purge import agreed, tell_report

if TYPE_CHECKING:
    from skill_agent.values import BatchUndo, ImportBatch, PastPlan, Unconfirmed
    from skill_agent.workstation import Workstation

_SOURCES = ("auto", *PAST_SOURCES, "jsonl")
FromOption = Annotated[
    str, typer.Option("--from", metavar="PROGRAM", help=", ".join(_SOURCES) + ".")
]
ReadOption = Annotated[
    bool, typer.Option("--read/--no-read", help="Read its conversations for memories.")
]
UndoOption = Annotated[
    str | None, typer.Option("--undo", metavar="BATCH", help="Take an import out again.")
]


@dataclass(frozen=True)
class Wishes:
    """What was asked for, and whose it was found to be."""

    file: str
    source: Any
    _: KW_ONLY
    agent: str | None
    read: bool
    index: bool
    yes: bool
    dry_run: bool
    as_json: bool
    named: bool
    """Whether the person said whose it is."""
    detach: bool = False
    """The host brings it in."""

    @property
    def path(self) -> str:
        return str(Path(self.file).expanduser().absolute())


def check_alone(file: str | None) -> None:
    """Raises UsageError where a path stands beside --undo."""
    if file is not None:
        raise UsageError("--undo takes an import out again", hint="say it without a path")


def source_of(file: str, said: str) -> str:
    """Whose a file, folder or zip is; raises UsageError where that cannot be told."""
    (source,) = choice("--from", said, _SOURCES)
    if source != "auto":
        return source
    from skill_agent.imports.detecting import detect
    from skill_agent.imports.tree import tree_at

    with tree_at(file) as tree:
        return detect(tree, file)


def bring(ctx: typer.Context, wishes: Wishes) -> None:
    """Tells, asks, and brings it in."""
    around = on_this_machine(ctx)
    check_detached(around, detach=wishes.detach)
    if not wishes.named:
        narrate(f"{wishes.file} comes from {wishes.source} (--from says otherwise)")
    batch = with_runtime(ctx, lambda runtime: _bring(runtime, around, wishes))
    if isinstance(batch, Work):
        told_left(batch, as_json=wishes.as_json)
    elif batch is not None and wishes.as_json:
        emit_json(_object(batch))
    elif batch is not None:
        emit_text(batch.id)


async def _bring(
    runtime: "Workstation", around: Surroundings, wishes: Wishes
) -> "ImportBatch | Work | None":
    wanted = PastRequest(
        wishes.path,
        source=wishes.source,
        agent=await slug_of(runtime, wishes.agent) or "",
        read=wishes.read,
    )
    with Bar("reading") as bar:
        plan = await runtime.imports.plan(wanted, progress=bar)
    if wishes.dry_run and wishes.as_json:
        emit_json({"id": wishes.file, "dry_run": True, **dict(plain(plan))})
        return None
    _tell(plan)
    if wishes.dry_run or not agreed_to(around, yes=wishes.yes):
        return None
    if wishes.detach:
        payload = {**asdict(wanted), "index": wishes.index}
        return await left_behind(runtime, NewWork(kind="import", payload=payload), files=True)
    with Bar("importing") as bar:
        batch = await runtime.imports.bring(wanted, progress=bar)
    if batch is None:
        narrate("nothing of it is new: all of it is here already")
        return None
    if wishes.index:
        await index_now(runtime, batch.messages + batch.memories)
    _tell_batch(batch)
    return batch


def _tell(plan: "PastPlan") -> None:
    narrate(f"This would be imported from {plan.source}:")
    said = sum(plan.messages.values())
    if plan.conversations:
        narrate(f"  {plan.conversations:,} conversations with {said:,} messages")
    if plan.memories:
        narrate(f"  {plan.memories:,} memories or sections of notes")
    if plan.first and plan.last:
        narrate(f"  from {plan.first:%Y-%m-%d} to {plan.last:%Y-%m-%d}")
    if plan.languages:
        narrate(f"  mostly in {', '.join(list(plan.languages)[:4])}")
    for title in plan.titles:
        narrate(f"  – {title}")
    if plan.there:
        narrate(f"  {plan.there:,} of them are here already; only what is new is added")
    for what, count in plan.left_out.items():
        narrate(f"  left out: {count:,} {what}")
    for problem in plan.problems:
        narrate(f"    {problem}")
    if plan.goes_on:
        narrate(f"  an import of it was cut short; this goes on with it ({plan.goes_on})")
    narrate("Nobody vouches for who wrote it, so it is marked as brought in from outside.")


def _tell_batch(batch: "ImportBatch") -> None:
    narrate(
        f"{batch.conversations:,} conversations, {batch.messages:,} messages and "
        f"{batch.memories:,} memories added"
    )
    if batch.unread:
        narrate(
            "They are read for memories in the background: ska memory imports tells how far, "
            "ska memory extract does it now"
        )
    narrate(f"vouch for it: ska memory confirm {batch.id}")
    narrate(f"take it out again: ska memory import --undo {batch.id}")


def imports(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List what was brought in from other programs, and how far its reading is.

    \b
    Example:
      ska memory imports --json
    """
    found = with_runtime(ctx, lambda runtime: runtime.imports.list())
    if as_json:
        emit_json([_object(one) for one in found])
        return
    table(
        ("id", "state", "from", "when", "talks", "messages", "memories", "read", "path"),
        map(_row, found),
        empty="nothing was brought in: ska memory import PATH",
    )
    if any(one.state != "undone" for one in found):
        narrate("take one out again: ska memory import --undo ID")


def _row(batch: "ImportBatch") -> tuple[object, ...]:
    read = batch.stretches - batch.unread - batch.failed
    told = f"{read} of {batch.stretches}" if batch.stretches else ""
    told += f", {batch.failed} failed" if batch.failed else ""
    confirmed = batch.confirmed_at is not None and batch.state in ("reading", "done")
    state = f"{batch.state}, confirmed" if confirmed else batch.state
    return (
        batch.id, state, batch.source, minute_of(batch.at), batch.conversations, batch.messages,
        batch.memories, told, batch.path,
    )  # fmt: skip


def confirm(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="BATCH|ID", help="An import, or a memory.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vouch for what was brought in: its words count as yours.

    Some of it is shown first, and asked about; without a terminal --yes is needed. Of an import
    these are its memories, and those that were read from its conversations so far.

    \b
    Example:
      ska memory confirm 0198f2
    """
    around = surroundings(ctx)

    async def work(runtime: "Workstation") -> "tuple[Unconfirmed, int | None]":
        waiting = await runtime.imports.unconfirmed(ref)
        _tell_waiting(waiting)
        if not waiting.memories:
            return waiting, 0
        if not _vouches(around, yes=yes):
            return waiting, None
        return waiting, await runtime.imports.confirm(waiting.id)

    waiting, done = with_runtime(ctx, work)
    if done is None:
        narrate("left as it was")
        raise typer.Exit(1)
    if as_json:
        emit_json({"id": waiting.id, "confirmed": done})
    narrate(f"{done:,} vouched for now")


def _tell_waiting(waiting: "Unconfirmed") -> None:
    narrate(f"{waiting.memories:,} memories nobody has vouched for yet")
    for said in waiting.sample:
        narrate(f"  – {' '.join(said.split())}")
    if (more := waiting.memories - len(waiting.sample)) > 0:
        narrate(f"  … and {more:,} more")


def _vouches(around: Surroundings, *, yes: bool) -> bool:
    if not yes and not around.interactive:
        raise UsageError(
            "nothing was confirmed: nobody could be asked", hint="look at it, then say --yes"
        )
    return yes or around.confirm("Do you vouch for these?", default=False)


def undo_batch(ctx: typer.Context, ref: str, *, yes: bool, as_json: bool) -> None:
    """Tells what would go, asks, and takes it out."""
    around = surroundings(ctx)

    async def work(runtime: "Workstation") -> "tuple[BatchUndo, Any]":
        plan = await runtime.imports.plan_undo(ref)
        _tell_undo(plan)
        if not agreed(around, yes=yes):
            return plan, None
        return plan, await runtime.imports.undo(plan.id, expected=plan.digest)

    plan, report = with_runtime(ctx, work)
    tell_report(around, report, [plan.id], as_json=as_json)


def _tell_undo(plan: "BatchUndo") -> None:
    narrate("This will be erased; the file it came from can be imported again:")
    narrate(f"  {len(plan.sessions):,} conversations with {plan.messages:,} messages")
    narrate(f"  {len(plan.memories):,} memories, with those read from its conversations")
    for why, count in plan.kept.items():
        narrate(f"  stays: {count:,} {why}")


def _object(batch: "ImportBatch") -> dict[str, Any]:
    return dict(plain(batch))
