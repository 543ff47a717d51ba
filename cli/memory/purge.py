"""Erasing for good: what a purge tells before and after, shared by `memory forget` and `user`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from skill_agent.text.clock import minute_of

from ..output import emit_json, emit_text, narrate
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.values import Erasure, ErasureReport, FileFate
    from skill_agent.workstation import Workstation

SHOWN = 10


async def purge_memory(
    runtime: "Workstation", around: Surroundings, memory_id: str, *, reason: str, yes: bool
) -> "tuple[Erasure, ErasureReport | None]":
    """Plans, tells, asks and erases; the report is None where the person declined."""
    erasure = await runtime.eraser.plan([memory_id])
    _tell(erasure)
    if not agreed(around, yes=yes):
        return erasure, None
    return erasure, await runtime.eraser.erase([memory_id], expected=erasure.digest, reason=reason)


def agreed(around: Surroundings, *, yes: bool) -> bool:
    """Whether the person wants what was just told; False where nobody can be asked."""
    return yes or around.confirm("Erase all of this for good?", default=False)


def tell_files(files: "Iterable[FileFate]") -> None:
    """What will become of files outside the stores."""
    for file in files:
        narrate(f"  file {file.path}: {file.fate}{f' ({file.why})' if file.why else ''}")


def _tell(erasure: "Erasure") -> None:
    """Exactly what will go."""
    narrate("This will be erased and cannot be brought back:")
    for memory in erasure.memories:
        narrate(f"  memory {memory.id}: {memory.content}")
    for message in erasure.messages[:SHOWN]:
        narrate(f"  message {message.id} of session {message.session}: {message.content[:80]}")
    if (more := len(erasure.messages) - SHOWN) > 0:
        narrate(f"  … and {more} more messages")
    counts = {name: count for name, count in erasure.counts.items() if count}
    narrate("  in all: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    narrate(f"  what models were sent and answered since {minute_of(erasure.since)}")
    tell_files(erasure.files)
    if erasure.alike:
        narrate("Other memories say nearly the same and stay:")
        for memory in erasure.alike[:SHOWN]:
            narrate(f"  {memory.id}: {memory.content}")


def tell_report(
    around: Surroundings, report: "ErasureReport | None", ids: list[str], *, as_json: bool
) -> None:
    """What was erased, and what is left to do; exit code 1 where something is, or nothing was."""
    if report is None:
        narrate("kept" if around.interactive else "kept: nobody could be asked; use --yes")
        raise typer.Exit(1)
    if as_json:
        emit_json(report_object(report, ids))
    else:
        for one in ids:
            emit_text(one)
    narrate(
        f"erased: {report.memories} memories, {report.messages} messages, "
        f"{report.rows} log rows, {report.sessions} titles, {len(report.files)} files"
    )
    for problem in report.problems:
        narrate(f"warning: {problem}")
    _tell_backups(report)
    if report.problems:
        raise typer.Exit(1)


def _tell_backups(report: "ErasureReport") -> None:
    """What no purge reaches into, and how to be rid of it."""
    if not report.backups:
        return
    from datetime import UTC, datetime

    narrate("backups made before may still hold it:")
    for path in report.backups:
        narrate(f"  {path}")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    narrate(f"be rid of them: ska backup create && ska backup prune --before {now}")


def report_object(report: "ErasureReport", ids: list[str]) -> dict[str, Any]:
    """The report for a script."""
    return {
        "id": ids[0] if len(ids) == 1 else "purge",
        "erased": ids,
        "memories": report.memories,
        "messages": report.messages,
        "sessions": report.sessions,
        "log_rows": report.rows,
        "files": [
            {"path": str(one.path), "fate": one.fate, "why": one.why} for one in report.files
        ],
        "problems": list(report.problems),
        "backups": [str(one) for one in report.backups],
    }
