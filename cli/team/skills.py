"""`ska skills`: what skills there are, and whether a folder of them loads.

Reading skills is the core's `SkillBook`.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, group
from ..output import emit_json, emit_text, narrate, plain, record, table
from ..surroundings import on_this_machine, surroundings

if TYPE_CHECKING:
    from skill_agent.skills.book import SkillBook
    from skill_agent.skills.reading import SkillReport
    from skill_agent.values import Skill

app = group("See and check the skills agents can use.")

MOST_FOLDERS = 50_000
"""Folders `validate` looks into: a person named them, so far more than a scan at start."""


@app.command("list")
def list_skills(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List every skill found, those that could not be loaded with the reason.

    \b
    Examples:
      ska skills list
      ska skills list --json | jq '.[] | select(.loaded | not)'
    """
    skills, notes = _listed(ctx)
    if as_json:
        emit_json([skill_object(skill) for skill in skills])
    else:
        rows = [(skill.name, _state(skill), _remark(skill)) for skill in skills]
        table(("skill", "state", "description or reason"), rows, empty="no skills found")
    for note in notes:
        narrate(f"warning: {note}")
    refused = [skill for skill in skills if not skill.loaded]
    if refused:
        narrate(f"{len(refused)} of {len(skills)} could not be loaded")


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL", help="Name of the skill.")],
    file: Annotated[
        str, typer.Option("--file", metavar="PATH", help="Print this file of its folder.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show one skill as an agent reads it when it activates it.

    \b
    Examples:
      ska skills show weather
      ska skills show weather --file references/wmo-codes.md
    """
    on_this_machine(ctx)
    book = _book(ctx)
    skill = book.get(name)
    body = book.activate(name) if skill.loaded else ""
    files = book.files(name) if skill.loaded else ()
    if file:
        emit_text(book.resource(name, file))
        return
    if as_json:
        emit_json({**skill_object(skill), "content": body, "files": files})
        return
    record(
        (
            ("skill", skill.name),
            ("description", skill.description),
            ("path", skill.path),
            ("licence", skill.licence),
            ("needs", skill.compatibility),
            ("tools", skill.allowed_tools),
            ("not loaded", skill.reason),
            ("warnings", "\n".join(skill.warnings)),
        )
    )
    emit_text(f"\n{body}" if body else "")


@app.command()
def validate(
    folder: Annotated[
        Path, typer.Argument(metavar="PATH", help="A skill's folder, or a folder of many.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Check skills against the standard; exit code 1 if one of them does not load.

    Warnings tell what loads all the same; departures from the standard matter for other programs.

    \b
    Examples:
      ska skills validate ./my-skill
      ska skills validate ~/.agents/skills --json
    """
    from skill_agent.skills.book import find_skills
    from skill_agent.skills.reading import validate_skill

    place = folder.parent if folder.is_file() and folder.name.lower() == "skill.md" else folder
    found = find_skills(place, most_folders=MOST_FOLDERS, most_depth=12)
    _must_have_found(place, bool(found.files))
    reports = _with_duplicates([validate_skill(file.parent) for file in found.files])
    if as_json:
        emit_json([_report_object(report) for report in reports])
    else:
        for report in reports:
            _tell_report(report)
    for note in found.notes:
        narrate(f"warning: {note}")
    refused = sum(not report.skill.loaded for report in reports)
    strict = sum(not report.errors for report in reports)
    total = len(reports)
    narrate(f"{total - refused} of {total} load, {strict} meet the standard to the letter")
    if refused:
        raise typer.Exit(1)


def skill_object(skill: "Skill") -> dict[str, Any]:
    """A skill as JSON; `id` is its name, or its path where the name is another's or unsure."""
    return {"id": skill.name if skill.loaded else skill.path, **plain(skill)}


def _report_object(report: "SkillReport") -> dict[str, Any]:
    return {**skill_object(report.skill), "id": report.skill.path, "violations": report.errors}


def _with_duplicates(reports: "list[SkillReport]") -> "list[SkillReport]":
    """Adds a warning to each skill whose name another of them has."""
    from dataclasses import replace

    counts = Counter(report.skill.name for report in reports if report.skill.loaded)

    def warned(report: "SkillReport") -> "SkillReport":
        skill = report.skill
        if not skill.loaded or counts[skill.name] < 2:
            return report
        text = f"{counts[skill.name]} skills here are called {skill.name}; only one can be used"
        return replace(report, skill=replace(skill, warnings=(*skill.warnings, text)))

    return [warned(report) for report in reports]


def _tell_report(report: "SkillReport") -> None:
    skill = report.skill
    emit_text(f"{'ok     ' if skill.loaded else 'refused'}  {skill.name}  {skill.path}")
    if skill.reason:
        emit_text(f"         {skill.reason}")
    for warning in skill.warnings:
        emit_text(f"         warning: {warning}")
    for error in report.errors:
        if error != skill.reason and error not in skill.warnings:
            emit_text(f"         standard: {error}")


def _must_have_found(folder: Path, found: bool) -> None:
    from skill_agent.errors import NotFound

    if not folder.exists():
        raise NotFound(f"there is no {folder}", hint="name a folder with a SKILL.md in or below it")
    if not found:
        raise NotFound(f"no SKILL.md in or below {folder}", hint="the file must be called SKILL.md")


def _state(skill: "Skill") -> str:
    if not skill.loaded:
        return "refused"
    return "hidden" if skill.hidden else "warned" if skill.warnings else "ok"


def _remark(skill: "Skill") -> str:
    if not skill.loaded:
        return f"{skill.reason} ({skill.path})"
    return "; ".join((skill.description, *(f"warning: {text}" for text in skill.warnings)))


def _listed(ctx: typer.Context) -> "tuple[list[Skill], list[str]]":
    """Every skill, and what was odd about looking for them."""
    if surroundings(ctx).api:
        return with_runtime(ctx, lambda runtime: runtime.skills.list()), []
    book = _book(ctx)
    return list(book.skills()), list(book.notes)


def _book(ctx: typer.Context) -> "SkillBook":
    """The skills of the home; without one, those that come with the product."""
    from skill_agent.skills.book import SkillBook, skill_roots

    home = surroundings(ctx).home
    if not home.exists:
        narrate(f"no home at {home.root} yet (ska init makes one); showing the bundled skills")
    return SkillBook(skill_roots(home))
