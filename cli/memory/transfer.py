"""`ska memory import|imports|confirm|export|verify|rebuild`: many memories at once, and the stores
behind them."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from skill_agent.errors import UsageError
from skill_agent.imports.batches import actor_of
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.redaction import Masker
from skill_agent.values import ImportResult, MemoryFilter, NewWork, VerifyReport

from ..jobs.leaving import DetachOption, check_detached, left_behind, told_left
from ..opening.running import with_runtime
from ..options import AgentOption, JsonOption, OutputOption, SecretsOption, YesOption, slug_of
from ..output import emit_json, emit_jsonl, emit_text, narrate, tell_masked
from ..progress import Bar
from ..surroundings import Surroundings, on_this_machine, surroundings
from . import past
from .import_plan import (
    DryRunOption,
    KeyOption,
    TrustOption,
    agreed_to,
    check_trust,
    emit_plan,
    tell_plan,
)
from .indexing import index_now
from .json_lines import KNOWN_KEYS, Rows, count_lines, opened

if TYPE_CHECKING:
    from skill_agent.values import ImportPlan
    from skill_agent.workstation import Workstation

SHOWN_MISTAKES = 20


def register(app: typer.Typer) -> None:
    """Adds these commands to the group."""
    app.command("import")(import_)
    app.command("imports")(past.imports)
    app.command("confirm")(past.confirm)
    app.command("export")(export)
    app.command("verify")(verify)
    app.command("rebuild")(rebuild)


def import_(
    ctx: typer.Context,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[PATH]", help="File, folder or zip; - is JSON lines on stdin."),
    ] = None,
    source: past.FromOption = "auto",
    agent: AgentOption = None,
    read: past.ReadOption = True,
    undo: past.UndoOption = None,
    index: Annotated[
        bool,
        typer.Option("--index/--no-index", help="Index at once, or leave it to the next search."),
    ] = True,
    trust: TrustOption = False,
    key: KeyOption = "",
    detach: DetachOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring in what you have elsewhere: conversations, memories, notes.

    From ChatGPT, Claude (their exports, as zip or unpacked), Claude Code (~/.claude/projects),
    mem0, Letta (.af), a folder of Markdown or an Obsidian vault; what it is, is found out unless
    --from says it. What would come in is told first, and asked for; without a terminal --yes is
    needed. Conversations can be searched at once, and are read for memories in the background
    (`ska memory imports` tells how far; --no-read leaves that out). What is here already is not
    taken twice, so an import that was interrupted is simply run again, and a later export adds what
    is new. All of it is marked as brought in until you vouch for it (`ska memory confirm`), and
    --undo BATCH takes it out again. With --detach the host (`ska up`) brings it in, in the
    background, after you have been told and asked: see `ska work`.

    JSON lines are memories of any origin, one object a line: `content`, and what else is known
    (id, memory_type, subject, importance, agent, speaker, created_at, session, metadata, whatever
    `ska memory export` writes). A wrong line is reported with its number and left out, the others
    are kept, and the exit code is 1. A file that `ska memory export -o FILE` wrote lies beside its
    signature: with --trust it comes in as it is.

    \b
    Examples:
      ska memory import ~/Downloads/chatgpt-export.zip
      ska memory import ~/.claude/projects --from claude-code --agent luke
      ska memory import ~/vault --dry-run
      ska memory import ~/vault --yes --detach
      jq -c '{content: .text}' old.json | ska memory import - --yes
      ska memory import --undo 0198f2
    """
    if undo is not None:
        past.check_alone(file)
        past.undo_batch(ctx, undo, yes=yes, as_json=as_json)
        return
    if file is None:
        raise UsageError("what is to be imported?", hint="name a file, folder or zip; - is stdin")
    check_trust(file, trust=trust, key=key)
    found = "jsonl" if trust or file == "-" else past.source_of(file, source)
    if found != "jsonl":
        wishes = past.Wishes(
            file, found, agent=agent, read=read, index=index, yes=yes, dry_run=dry_run,
            as_json=as_json, named=source != "auto", detach=detach,
        )  # fmt: skip
        past.bring(ctx, wishes)
        return
    if detach:
        raise UsageError(
            "--detach brings in what other programs export; JSON lines come through this command",
            hint="leave --detach out",
        )
    wanted = _Wanted(file, key=key, index=index, yes=yes, dry_run=dry_run, as_json=as_json)
    if trust:
        with_runtime(ctx, partial(_import_signed, on_this_machine(ctx), wanted))
        return
    around = surroundings(ctx)
    with opened(file, around.stdin) as stream:
        with_runtime(ctx, partial(_import_lines, around, wanted, stream))


@dataclass(frozen=True)
class _Wanted:
    file: str
    _: KW_ONLY
    key: str
    index: bool
    yes: bool
    dry_run: bool
    as_json: bool

    @property
    def name(self) -> str:
        return "stdin" if self.file == "-" else self.file

    @property
    def path(self) -> str:
        return str(Path(self.file).expanduser().absolute())


async def _import_lines(
    around: Surroundings, wanted: _Wanted, stream: BinaryIO, runtime: "Workstation"
) -> None:
    """Reads the lines twice: to tell what they are, and to keep them."""
    looked, total = Rows(stream, wanted.name), count_lines(stream)
    plan = await runtime.memory.plan_rows(looked.rows(), refused=looked.refuse)
    if not _goes_on(around, wanted, plan, wrong=len(looked.mistakes)):
        _tell_mistakes(looked)
        if looked.mistakes and wanted.dry_run:
            raise typer.Exit(1)
        return
    stream.seek(0)
    reader, masker = Rows(stream, wanted.name), Masker()
    batch = await runtime.imports.begin("-" if wanted.file == "-" else wanted.path)
    with Bar("importing", total=total) as bar:
        result = await runtime.memory.import_rows(
            _counted(reader.rows(), masker), actor=actor_of(batch), progress=bar, total=total,
            refused=reader.refuse,
        )  # fmt: skip
    await runtime.imports.end(batch)
    tell_masked(masker.count)
    if wanted.index and result.added:
        await index_now(runtime, result.added)
    _report(result, reader, as_json=wanted.as_json, batch=batch if result.added else "")


async def _import_signed(around: Surroundings, wanted: _Wanted, runtime: "Workstation") -> None:
    path = wanted.path
    plan = await runtime.user_data.plan_memories(path, key=wanted.key)
    if not _goes_on(around, wanted, plan):
        return
    with Bar("importing") as bar:
        result = await runtime.user_data.import_memories(path, key=wanted.key, progress=bar)
    if wanted.index and result.added:
        await index_now(runtime, result.added)
    reader = Rows(BytesIO(), wanted.name, read=sum(plan.memories.values()))
    _report(result, reader, as_json=wanted.as_json)


def _goes_on(around: Surroundings, wanted: _Wanted, plan: "ImportPlan", *, wrong: int = 0) -> bool:
    """Tells the plan; whether it is to be carried out."""
    if wanted.dry_run and wanted.as_json:
        emit_plan(wanted.name, plan, wrong=wrong)
        return False
    tell_plan(plan, wrong=wrong)
    return not wanted.dry_run and agreed_to(around, yes=wanted.yes)


def _counted(rows: Iterable[dict[str, Any]], masker: Masker) -> Iterator[dict[str, Any]]:
    """The rows as they are; memory masks what the masker counts."""
    for row in rows:
        masker(row.get("content"))
        yield row


def export(
    ctx: typer.Context,
    output: OutputOption = None,
    agent: AgentOption = None,
    secrets: SecretsOption = False,
) -> None:
    """Export memories as JSON lines, ready for `import`.

    Newest first. Keys and passwords that older versions kept are masked, unless --secrets. A file
    is written beside its place and then moved there, so that it is never half an export; beside it
    FILE.sig holds its signature, by which `ska memory import --trust` knows it again. Another home
    of yours trusts it if you name the key that is told here.

    \b
    Examples:
      ska memory export --output backup.jsonl
      ska memory export | jq -r .content
    """

    async def work(runtime: "Workstation") -> tuple[int, int]:
        owner = await slug_of(runtime, agent)
        wanted = MemoryFilter(agent=owner) if owner else None
        count, masker = 0, Masker(keep=secrets)
        with _target(output) as write:
            async for row in runtime.memory.export(wanted):
                write(masker(row))
                count += 1
        if output is not None:
            # So that erasing reaches it.
            await runtime.user_data.note_written(str(output.absolute()), "memories")
            key = await runtime.user_data.sign(str(output.absolute()))
            narrate(f"signed as {key}")
        return count, masker.count

    count, masked = with_runtime(ctx, work)
    tell_masked(masked, keeps="--secrets")
    narrate(f"{count} memories exported" + (f" to {output}" if output else ""))


def verify(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Check that nothing in the ledger was altered.

    Every log row against its hash, every memory against the log. Exit code 1 when something does
    not fit.

    \b
    Example:
      ska memory verify && echo whole
    """

    async def work(runtime: "Workstation") -> "tuple[VerifyReport, list[str]]":
        return await runtime.memory.verify(), await runtime.figures.warnings()

    report, warnings = with_runtime(ctx, work)
    for warning in warnings:
        narrate(f"warning: {warning}")
    if as_json:
        emit_json(
            {
                "id": "ledger",
                "ok": not report.problems,
                "rows": report.rows,
                "memories": report.memories,
                "messages": report.messages,
                "problems": list(report.problems),
            }
        )
    else:
        for problem in report.problems:
            emit_text(problem)
        what = f"{report.rows} log rows, {report.memories} memories, {report.messages} messages"
        narrate(f"{what}: {len(report.problems) or 'no'} problems")
    if report.problems:
        raise typer.Exit(1)


def rebuild(ctx: typer.Context, detach: DetachOption = False, as_json: JsonOption = False) -> None:
    """Make the search index again from the ledger.

    Safe at any time: the ledger is the truth and stays as it is. With --detach the host (`ska up`)
    does it in the background: see `ska work`.

    \b
    Examples:
      ska memory rebuild
      ska memory rebuild --detach

    \b
    Exit codes: 0 done, or left to the host; 2 also: --detach without a host.
    """
    check_detached(surroundings(ctx), detach=detach)
    if detach:
        wanted = NewWork(kind="rebuild")
        begun = with_runtime(ctx, lambda runtime: left_behind(runtime, wanted))
        told_left(begun, as_json=as_json)
        return

    async def work(runtime: "Workstation") -> int:
        with Bar("indexing") as bar:
            return await runtime.memory.rebuild(bar)

    count = with_runtime(ctx, work)
    if as_json:
        emit_json({"id": "index", "items": count})
    else:
        narrate(f"{count} items indexed")


def _report(result: ImportResult, reader: Rows, *, as_json: bool, batch: str = "") -> None:
    _tell_mistakes(reader)
    for key, count in reader.unknown.most_common(5):
        meant = did_you_mean(key, KNOWN_KEYS)
        narrate(f"warning: key {key!r} ignored in {count} lines{f'; {meant}' if meant else ''}")
    for conflict in result.conflicts[:SHOWN_MISTAKES]:
        narrate(f"warning: {conflict} is there already with other content; left as it was")
    if as_json:
        emit_json(
            {
                "id": reader.name,
                "read": reader.read,
                "added": result.added,
                "skipped": result.skipped,
                "conflicts": list(result.conflicts),
                "demoted": result.demoted,
                "batch": batch,
                "errors": [{"line": one.line, "problem": one.problem} for one in reader.mistakes],
            }
        )
    narrate(
        f"{result.added} added, {result.skipped} already there, "
        f"{len(result.conflicts)} in conflict, {len(reader.mistakes)} wrong"
        + (f"; {result.demoted} only as plain memories" if result.demoted else "")
    )
    if batch:
        narrate(f"take it out again: ska memory import --undo {batch}")
    if reader.mistakes or result.conflicts:
        raise typer.Exit(1)


def _tell_mistakes(reader: Rows) -> None:
    for mistake in reader.mistakes[:SHOWN_MISTAKES]:
        narrate(f"{reader.name}:{mistake.line}: {mistake.problem}")
    if (more := len(reader.mistakes) - SHOWN_MISTAKES) > 0:
        narrate(f"… and {more} more wrong lines")


@contextlib.contextmanager
def _target(output: Path | None) -> Iterator[Any]:
    """Something that writes one row: to stdout, or to a file that appears when it is whole."""
    if output is None:
        yield emit_jsonl
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.absolute().parent)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield lambda row: file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
