"""`ska skills`: what skills there are, whom they may speak to, and whether a folder of them loads.

Reading skills is the core's `SkillBook`; an approval is a stored rule, read afresh by a host that
runs.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, group
from ..output import emit_json, emit_text, narrate, plain, record, table
from ..surroundings import on_this_machine, surroundings
from .team import team_of

if TYPE_CHECKING:
    from skill_agent.skills.book import SkillBook
    from skill_agent.skills.reading import SkillReport
    from skill_agent.skills.trust import Approval
    from skill_agent.tools.approvals import RuleBook
    from skill_agent.values import Skill, SkillActivation

app = group("See, check and approve the skills agents can use.")

_AgentOption = Annotated[
    str | None, typer.Option("--agent", "-a", metavar="NAME", help="Only for this agent.")
]
_ForOption = Annotated[
    str,
    typer.Option("--for", metavar="WHO", help="An agent, or a client's own: mcp-claude-code."),
]
_SkillArgument = Annotated[str, typer.Argument(metavar="SKILL", help="Name of the skill.")]

MOST_FOLDERS = 50_000
"""Folders `validate` looks into: a person named them, so far more than a scan at start."""


@app.command("list")
def list_skills(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List every skill found, those that could not be loaded with the reason.

    A skill that did not come with the program is opened once you approved it, and asks again when
    its files have changed.

    \b
    Examples:
      ska skills list
      ska skills list --json | jq '.[] | select(.loaded | not)'
      ska skills list --json | jq '.[] | select(.trust == "not approved") | .path'
    """
    skills, notes = _listed(ctx)
    if as_json:
        emit_json([skill_object(skill) for skill in skills])
    else:
        rows = [(skill.name, _state(skill), _trust(skill), _remark(skill)) for skill in skills]
        columns = ("skill", "state", "trust", "description or reason")
        table(columns, rows, empty="no skills found")
    for note in notes:
        narrate(f"warning: {note}")
    refused = [skill for skill in skills if not skill.loaded]
    if refused:
        narrate(f"{len(refused)} of {len(skills)} could not be loaded")


@app.command()
def show(
    ctx: typer.Context,
    name: _SkillArgument,
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
            ("trust", _trust(skill)),
            ("digest", skill.digest),
            ("not loaded", skill.reason),
            ("warnings", "\n".join(skill.warnings)),
        )
    )
    emit_text(f"\n{body}" if body else "")


@app.command()
def approve(ctx: typer.Context, name: _SkillArgument, agent: _AgentOption = None) -> None:
    """Approve a skill as it is now: its words count as yours, and opening it asks nobody.

    The approval is for the files its folder holds now. Once one of them changes, it asks again.

    \b
    Examples:
      ska skills show recipes
      ska skills approve recipes
      ska skills approve recipes --agent kyra
    """
    from skill_agent.errors import NotFound, UsageError
    from skill_agent.skills.trust import EVERY_AGENT, skill_rule
    from skill_agent.tools.approvals import stored_rule

    home = on_this_machine(ctx).home
    if not home.exists:
        raise NotFound(f"there is no home at {home.root} to keep an approval in", hint="ska init")
    skill = _book(ctx).get(name)
    if not skill.loaded:
        raise UsageError(f"{name} cannot be used: {skill.reason}", hint=f"mend {skill.path}")
    if skill.trust == "trusted":
        narrate(f"{name} came with the program; it needs no approval")
        return
    rules, who = _rules(ctx), _slug(ctx, agent) if agent else EVERY_AGENT
    entry = stored_rule(who, skill_rule(name, skill.digest), tainted=False)
    rules.add(entry)
    for old in _approvals(ctx, name):
        if old.agent == who and old.digest != skill.digest:
            rules.revoke(old.rule)
    emit_text(entry)
    narrate(f"approved {name} as it is now in {skill.path}; ska skills revoke {name} takes it back")


@app.command()
def revoke(ctx: typer.Context, name: _SkillArgument, agent: _AgentOption = None) -> None:
    """Take the approvals of a skill back: it asks again before it is opened.

    \b
    Examples:
      ska skills revoke recipes
      ska skills revoke recipes --agent kyra
    """
    from skill_agent.errors import NotFound

    on_this_machine(ctx)
    who = _slug(ctx, agent) if agent else None
    found = [one for one in _approvals(ctx, name) if who in (None, one.agent)]
    if not found:
        raise NotFound(f'no approval of "{name}" is stored', hint="ska approvals list")
    rules = _rules(ctx)
    for one in found:
        rules.revoke(one.rule)
        narrate(f"revoked: {one.rule}")


@app.command()
def activate(
    ctx: typer.Context, name: _SkillArgument, who: _ForOption, as_json: JsonOption = False
) -> None:
    """Make a tool of a skill, for an agent or for a program that uses this home.

    The tool is called skill_NAME, with _ for -. It stays until you deactivate it; while the skill
    is not approved as it is, the tool is not offered.

    \b
    Examples:
      ska skills activate weather --for luke
      ska skills activate recipes --for mcp-claude-code
    """
    done = with_runtime(ctx, lambda runtime: runtime.skill_tools.activate(name, who))
    if as_json:
        emit_json(activation_object(done))
        return
    emit_text(done.tool)
    narrate(f"{done.skill} is a tool of {done.agent} now")


@app.command()
def deactivate(
    ctx: typer.Context, name: _SkillArgument, who: _ForOption, as_json: JsonOption = False
) -> None:
    """Take the tool of a skill away again; the skill itself stays.

    \b
    Example:
      ska skills deactivate weather --for luke
    """
    done = with_runtime(ctx, lambda runtime: runtime.skill_tools.deactivate(name, who))
    if as_json:
        emit_json(activation_object(done))
        return
    narrate(f"{done.tool} is no tool of {done.agent} any more")


@app.command()
def active(
    ctx: typer.Context,
    who: Annotated[
        str | None, typer.Option("--for", metavar="WHO", help="Only those of this one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the skills that are tools, with whose they are and why one is not offered for now.

    \b
    Examples:
      ska skills active
      ska skills active --for luke
      ska skills active --json | jq '.[] | select(.problem != "")'
    """
    found = with_runtime(ctx, lambda runtime: runtime.skill_tools.list(agent=who))
    if as_json:
        emit_json([activation_object(one) for one in found])
        return
    rows = [(one.agent, one.tool, one.skill, one.at, one.problem or "ok") for one in found]
    table(("who", "tool", "skill", "since", "state"), rows, empty="no skill is a tool")


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


def activation_object(one: "SkillActivation") -> dict[str, Any]:
    """An activation as JSON."""
    return {"id": f"{one.agent}/{one.skill}", **plain(one)}


def _report_object(report: "SkillReport") -> dict[str, Any]:
    """Who trusts a folder that need not be in any home is not asked."""
    whole = {**skill_object(report.skill), "id": report.skill.path, "violations": report.errors}
    return {key: value for key, value in whole.items() if key not in ("trust", "approved_for")}


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


def _trust(skill: "Skill") -> str:
    """Whom it was approved for, where that is not every agent."""
    if not skill.loaded:
        return ""
    some = skill.approved_for and "*" not in skill.approved_for
    return f"{skill.trust} ({', '.join(skill.approved_for)})" if some else skill.trust


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
    return SkillBook(skill_roots(home), rules=_rules(ctx).rules)


def _rules(ctx: typer.Context) -> "RuleBook":
    from skill_agent.tools.approvals import RuleBook

    return RuleBook(surroundings(ctx).home.rules)


def _approvals(ctx: typer.Context, name: str) -> "list[Approval]":
    from skill_agent.skills.trust import approvals_in

    return [one for one in approvals_in(_rules(ctx).rules()) if one.name == name]


def _slug(ctx: typer.Context, agent: str) -> str:
    """Raises NotFound for an agent there is not; a client has a slug of its own."""
    from skill_agent.skills.activations import OF_CLIENTS

    return agent if agent.startswith(OF_CLIENTS) else team_of(ctx).get(agent).slug
