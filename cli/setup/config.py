"""`ska config`: each setting with its origin, and what is wrong with the home's files."""

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..options import JsonOption, group
from ..output import emit_json, emit_text, narrate, table
from ..surroundings import on_this_machine
from .config_edits import register

if TYPE_CHECKING:
    from skill_agent.errors import ConfigError
    from skill_agent.files.home import Home
    from skill_agent.settings.parsing import Origin
    from skill_agent.settings.schema import Settings

app = group("See, change and check the settings.")
register(app)


@app.command()
def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="Only this key or section.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show every setting, its value and where that comes from.

    Precedence: defaults, then config.toml, then SKILL_AGENT_<SECTION>_<KEY> in the environment.

    \b
    Examples:
      ska config show
      ska config show models.default
      ska config show --json | jq '.[] | select(.origin != "default")'
    """
    from skill_agent.settings.config_file import without_passwords
    from skill_agent.settings.parsing import setting_values

    home = on_this_machine(ctx).home
    if not home.exists:
        narrate(f"no home at {home.root} yet (ska init makes one); showing the defaults")
    settings, origins = _settings(home)
    values = {name: without_passwords(value) for name, value in setting_values(settings).items()}
    chosen = _chosen(key, list(values))
    if as_json:
        objects = [_setting_object(name, values[name], origins[name]) for name in chosen]
        emit_json(objects[0] if chosen == [key] else objects)
        return
    from skill_agent.settings.template import toml_value

    rows = [(name, toml_value(values[name]), str(origins[name])) for name in chosen]
    table(("setting", "value", "origin"), rows)


@app.command()
def validate(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Check config.toml, the environment and agents.toml; exit code 2 where there is a mistake.

    \b
    Example:
      ska config validate
    """
    from ..error_report import tell_problems

    home = on_this_machine(ctx).home
    if not home.exists:
        narrate(f"no home at {home.root} yet (ska init makes one); checking what it begins with")
    errors, warnings = _problems(home)
    tell_problems(errors, warnings, as_json=as_json, fine="no mistakes")


@app.command()
def schema(
    file: Annotated[str, typer.Argument(metavar="[config|agents]", help="Which file.")] = "config",
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON in any case.")] = False,
) -> None:
    """Print the JSON schema of config.toml or agents.toml, for editors that complete and check.

    \b
    Examples:
      ska config schema > config.schema.json
      ska config schema agents
    """
    from skill_agent.agents.schema import agents_schema
    from skill_agent.errors import UsageError
    from skill_agent.settings.template import settings_schema

    match file.removesuffix(".toml"):
        case "config":
            emit_json({"id": "config.toml", **settings_schema()})
        case "agents":
            emit_json({"id": "agents.toml", **agents_schema()})
        case _:
            raise UsageError(f'no schema for "{file}"', hint="config or agents")


@app.command()
def path(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Print where config.toml lies.

    \b
    Examples:
      ska config path
      $EDITOR "$(ska config path)"
    """
    home = on_this_machine(ctx).home
    if as_json:
        emit_json(
            {
                "id": "config.toml",
                "path": home.config,
                "exists": home.config.is_file(),
                "home": home.root,
                "agents": home.agents,
                "skills": home.skills,
            }
        )
    else:
        emit_text(str(home.config))


def _settings(home: "Home") -> "tuple[Settings, dict[str, Origin]]":
    from skill_agent.files.private import read_text
    from skill_agent.settings.parsing import parse_settings

    text = read_text(home.config) if home.exists else ""
    return parse_settings(text, str(home.config), os.environ)


def _problems(home: "Home") -> "tuple[list[ConfigError], list[ConfigError]]":
    """Mistakes and warnings of both files, one never hiding the other's."""
    from skill_agent.agents.parsing import parse_agents
    from skill_agent.errors import ConfigError, ConfigErrors
    from skill_agent.files.bundled import bundled_agents_path
    from skill_agent.files.private import read_text
    from skill_agent.settings.parsing import check_default_agent
    from skill_agent.skills.book import SkillBook, skill_roots
    from skill_agent.tools.approvals import RuleBook

    from ..team.crafts import craft_warnings

    errors: list[ConfigError] = []
    warnings: list[ConfigError] = []
    settings = team = None
    agents = home.agents if home.exists else bundled_agents_path()
    try:
        settings, origins = _settings(home)
    except ConfigError as error:
        errors += _each(error)
        origins = {}
    try:
        skills = SkillBook(skill_roots(home), rules=RuleBook(home.rules).rules)
        team = parse_agents(read_text(agents), str(agents), skills.names())
        warnings += (*team.warnings, *craft_warnings(team.agents, skills, str(agents)))
    except ConfigError as error:
        errors += _each(error)
    if settings and team:
        origin = origins["general.default_agent"]
        place = origin.file or origin.variable or str(home.config)
        try:
            check_default_agent(settings, team.slugs, place, origin.line)
        except ConfigErrors as error:
            errors += error.problems
    return errors, warnings


def _each(error: "ConfigError") -> "tuple[ConfigError, ...]":
    return getattr(error, "problems", (error,))


def _chosen(key: str, names: list[str]) -> list[str]:
    from skill_agent.errors import NotFound
    from skill_agent.text.nearest import did_you_mean

    chosen = [name for name in names if not key or name == key or name.startswith(f"{key}.")]
    if not chosen:
        near = did_you_mean(key, names) or "`ska config show` lists them all"
        raise NotFound(f'no setting "{key}"', hint=near)
    return chosen


def _setting_object(name: str, value: Any, origin: "Origin") -> dict[str, Any]:
    kind: Literal["default", "file", "env"] = origin.kind
    return {
        "id": name,
        "value": value,
        "origin": str(origin),
        "kind": kind,
        "file": origin.file,
        "line": origin.line,
        "variable": origin.variable,
    }
