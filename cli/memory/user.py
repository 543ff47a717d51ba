"""`ska user`: everything about the person, taken along, brought in, or erased."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, SecretsOption, YesOption, group
from ..output import emit_json, emit_text, narrate, tell_masked
from ..progress import Bar
from ..surroundings import on_this_machine, surroundings
from .import_plan import (
    DryRunOption,
    KeyOption,
    TrustOption,
    agreed_to,
    check_trust,
    emit_plan,
    plan_object,
    tell_plan,
)
from .purge import agreed, tell_files, tell_report

if TYPE_CHECKING:
    from skill_agent.values import ErasureReport, UserErasure, UserExport, UserImport
    from skill_agent.workstation import Workstation

app = group("Take everything about you along, bring it in, or erase it.")


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new zip file.")],
    secrets: SecretsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write everything about you into one zip: conversations, memories, profile, usage.

    Another home reads it with `ska user import`. The file is as private as the home itself, and
    signed: with the key that is told here, another home of yours takes it as it is (--trust --key).
    Keys and passwords somebody told are masked in it, unless --secrets.

    \b
    Example:
      ska user export ~/skill-agent-2026-11.zip
    """

    on_this_machine(ctx)

    async def work(runtime: "Workstation") -> "UserExport":
        with Bar("exporting") as bar:
            return await runtime.user_data.export(
                str(file.expanduser().absolute()), bar, secrets=secrets
            )

    done = with_runtime(ctx, work)
    if as_json:
        emit_json({"id": str(done.path), **done.counts, "key": done.key, "masked": done.masked})
        return
    narrate(", ".join(f"{count} {name}" for name, count in done.counts.items()))
    narrate(f"signed as {done.key}")
    tell_masked(done.masked, keeps="--secrets")
    emit_text(str(done.path))


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A zip of `ska user export`.")],
    trust: TrustOption = False,
    key: KeyOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring in what another home exported; doing it twice adds nothing.

    What would come in is told first, and asked for; without a terminal --yes is needed. Anybody can
    make such a file, so its conversations and memories are marked as brought in: nothing of it says
    who an agent is, who you are or what the team knows, nothing is pinned, and only words come in,
    no messages of the system and no notes but usage and ratings. With --trust everything comes in
    as it is: if this home signed the file, or the home whose key you name.

    What is there already with other content is left alone and named; exit code 1 then.

    \b
    Examples:
      ska user import ~/skill-agent-2026-11.zip
      ska user import ~/old-laptop.zip --trust --key ed25519:…
    """

    around = on_this_machine(ctx)
    check_trust(str(file), trust=trust, key=key)
    path = str(file.expanduser().absolute())

    async def work(runtime: "Workstation") -> "UserImport | None":
        data = runtime.user_data
        with Bar("reading"):
            plan = await data.plan_import(path, trust=trust, key=key)
        if dry_run and as_json:
            emit_plan(str(file), plan)
            return None
        tell_plan(plan)
        if dry_run or not agreed_to(around, yes=yes):
            return None
        with Bar("importing") as bar:
            return await data.import_(path, trust=trust, key=key, progress=bar)

    done = with_runtime(ctx, work)
    if done is not None:
        _tell_import(str(file), done, as_json=as_json)


def _tell_import(name: str, done: "UserImport", *, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "id": name, "added": done.added, "skipped": done.skipped,
                "conflicts": list(done.conflicts), "plan": plan_object(done.plan),
            }
        )  # fmt: skip
    for kind, count in done.added.items():
        narrate(f"{count} {kind} added, {done.skipped.get(kind, 0)} already there")
    for one in done.conflicts:
        narrate(f"warning: {one} is there already with other content; left as it was")
    if done.conflicts:
        raise typer.Exit(1)


@app.command()
def purge(ctx: typer.Context, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Erase everything about you for good: conversations, memories, caches, exports we made.

    Agents, skills, models and settings stay, and so do memories of other people. What will go is
    told first; without a terminal --yes is needed. `ska user export` keeps a copy.

    \b
    Example:
      ska user export ~/copy.zip && ska user purge
    """
    around = surroundings(ctx)

    async def work(runtime: "Workstation") -> "ErasureReport | None":
        plan = await runtime.user_data.plan_purge()
        _tell(plan)
        if not agreed(around, yes=yes):
            return None
        return await runtime.user_data.erase(expected=plan.digest)

    report = with_runtime(ctx, work)
    tell_report(around, report, [], as_json=as_json)


def _tell(plan: "UserErasure") -> None:
    narrate("This will be erased and cannot be brought back:")
    narrate(f"  {len(plan.sessions)} sessions with {plan.messages} messages")
    narrate(
        f"  {len(plan.memories)} memories ({plan.kept} stay: the agents' own and other people's)"
    )
    tell_files(plan.files)
