"""`ska memory consolidate|expire`: the housekeeping, its dry runs and its status."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.text.clock import day_of

from ..opening.running import with_runtime
from ..options import JsonOption
from ..output import emit_json, narrate, plain, record, table
from ..progress import Bar
from .view import memory_object

if TYPE_CHECKING:
    from skill_agent.values import Chore, ChoreStatus, ConsolidationReport, ExpiryReport
    from skill_agent.workstation import Workstation

DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, change nothing.")
]
StatusOption = Annotated[
    bool, typer.Option("--status", help="Show the last run, the next one and the totals.")
]


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("consolidate")(consolidate)
    app.command("expire")(expire)


def consolidate(
    ctx: typer.Context,
    dry_run: DryOption = False,
    status: StatusOption = False,
    model: Annotated[
        bool, typer.Option("--model/--no-model", help="Let the extraction model write summaries.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Tidy the memory up: merge what says the same, sum up old small events, move between tiers.

    Originals are superseded, not erased: `ska memory log ID` leads back to them. The job
    `consolidate` does this every six hours by itself (`ska jobs show consolidate`).

    \b
    Examples:
      ska memory consolidate --dry-run
      ska memory consolidate --status --json
    """
    if status:
        _show_status(ctx, "consolidate", as_json=as_json)
        return

    async def work(runtime: "Workstation") -> "ConsolidationReport":
        with Bar("consolidating") as bar:
            return await runtime.upkeep.consolidate(dry_run=dry_run, summarise=model, progress=bar)

    report = with_runtime(ctx, work)
    counts = {kind: report.count(kind) for kind in ("merged", "summarised", "promoted", "demoted",
                                                    "fading")}  # fmt: skip
    if as_json:
        actions = [plain(one) for one in report.actions]
        emit_json(
            {
                "id": "consolidate", "dry_run": dry_run, **counts, "left_alone": report.left_alone,
                "seconds": round(report.seconds, 3), "actions": actions,
            }
        )  # fmt: skip
        return
    table(
        ("what", "memories", "text"),
        ((one.kind, len(one.ids), one.text) for one in report.actions),
        empty="nothing to tidy up",
    )
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    narrate(f"{'would be: ' if dry_run else ''}{told}, in {report.seconds:.1f} s")
    if report.left_alone:
        narrate(f"{report.left_alone} left alone: they were changed meanwhile; run it again")


def expire(
    ctx: typer.Context,
    dry_run: DryOption = False,
    status: StatusOption = False,
    as_json: JsonOption = False,
) -> None:
    """Archive what has run out: past its own date, or older than its type is kept.

    Archived is not erased: `ska memory restore ID` takes a memory back.

    \b
    Examples:
      ska memory expire --dry-run
      ska memory expire --status
    """
    if status:
        _show_status(ctx, "expire", as_json=as_json)
        return
    report: ExpiryReport = with_runtime(ctx, lambda runtime: runtime.upkeep.expire(dry_run=dry_run))
    if as_json:
        emit_json(
            {
                "id": "expire",
                "dry_run": dry_run,
                "expired": len(report.expired),
                "left_alone": report.left_alone,
                "memories": [memory_object(one) for one in report.expired],
                "success": report.success,
                "deleted_count": report.deleted_count,
                "message": report.message,
            }
        )
        return
    table(
        ("id", "type", "created", "content"),
        ((m.id, m.memory_type, day_of(m.created_at), m.content) for m in report.expired),
    )
    narrate(report.message)


def _show_status(ctx: typer.Context, chore: "Chore", *, as_json: bool) -> None:
    found: ChoreStatus = with_runtime(ctx, lambda runtime: runtime.upkeep.status(chore))
    shown: dict[str, Any] = plain(found)
    if as_json:
        emit_json(shown)
        return
    totals = ", ".join(f"{count} {name}" for name, count in found.totals.items())
    record(
        (
            ("state", "running" if found.is_running else ""),
            ("every", f"{found.interval_hours} hours"),
            ("runs", found.runs),
            ("last run", found.last_run or "never"),
            ("due", found.next_run),
            ("in all", totals),
        )
    )
