"""config.toml and agents.toml: text in, values out; every mistake of a file reported together.

Precedence: defaults < config.toml < environment. Pure: no file is opened, and what is in the
environment is an argument.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .dna import AgentDNA, Settings, TeamTable
from .environment import read_environment
from .errors import ConfigError, ConfigErrors
from .mistakes import check, dotted, leaves, read_toml, shown, unknown_key
from .nearest import did_you_mean
from .toml_places import KeyPath, line_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a setting's value comes from."""

    kind: Literal["default", "file", "env"] = "default"
    file: str = ""
    line: int = 0
    variable: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "default":
                return "default"
            case "file":
                return f"{self.file}:{self.line}"
            case "env":
                return f"env {self.variable}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """agents.toml as values: the agents in the file's order."""

    agents: tuple[AgentDNA, ...]
    shared_skills: tuple[str, ...] = ()
    warnings: tuple[ConfigError, ...] = ()
    """What loads but is probably not meant."""

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(agent.slug for agent in self.agents)


# -- config.toml -----------------------------------------------------------------------------


def parse_settings(
    text: str, file: str, env: Mapping[str, str]
) -> tuple[Settings, dict[str, Origin]]:
    """The settings, and the origin of each by dotted key; raises ConfigErrors."""
    problems: list[ConfigError] = []
    settings: Settings | None = Settings()
    data, places = _read(text, file, problems)
    if not problems:
        settings, found = check(Settings, data, file=file, places=places)
        problems += found
    override, variables, mistaken = read_environment(env)
    problems += mistaken
    if settings and not problems:
        merged = _merged(data, override)
        settings, found = check(Settings, merged, file="environment", places={})
        problems += [_blame_variable(problem, variables) for problem in found]
    if problems or settings is None:
        problems.sort(key=lambda problem: (problem.file == "environment", problem.line))
        raise ConfigErrors(problems, hint="mend these, then run `ska config validate`")
    return settings, dict(_origins(data, places, file, variables))


def setting_values(settings: Settings) -> dict[str, Any]:
    """Every setting by dotted key, in the model's order."""
    dump = settings.model_dump()
    paths = (path for path, _ in leaves(Settings.model_json_schema()))
    return {dotted(path): value_at(dump, path) for path in paths}


def check_default_agent(
    settings: Settings, slugs: Collection[str], file: str, line: int = 0
) -> None:
    """Raises ConfigErrors where `general.default_agent` names none of the agents."""
    slug = settings.general.default_agent
    if slug in slugs:
        return
    meant = did_you_mean(slug, slugs) or f"agents there are: {', '.join(slugs)}"
    said = f"expected the slug of an agent, got {shown(slug)}; {meant}"
    problem = ConfigError(said, file=file, line=line, key="general.default_agent")
    raise ConfigErrors([problem], hint="set it in config.toml, or `ska agents new` that agent")


def _blame_variable(problem: ConfigError, variables: Mapping[str, str]) -> ConfigError:
    variable = next(
        (name for key, name in variables.items() if problem.key.startswith(key)), problem.key
    )
    return ConfigError(problem.said, file="environment", key=variable)


def _origins(
    data: Mapping[str, Any],
    places: Mapping[KeyPath, int],
    file: str,
    variables: Mapping[str, str],
) -> Iterator[tuple[str, Origin]]:
    for path, _ in leaves(Settings.model_json_schema()):
        key = dotted(path)
        if key in variables:
            yield key, Origin(kind="env", variable=variables[key])
        elif value_at(data, path) is not None:
            yield key, Origin(kind="file", file=file, line=line_of(places, path))
        else:
            yield key, Origin()


# -- agents.toml -----------------------------------------------------------------------------


def parse_agents(text: str, file: str, known_skills: Collection[str] | None = None) -> Team:
    """The team; raises ConfigErrors. With `known_skills`, names that are not there warn."""
    problems: list[ConfigError] = []
    data, places = _read(text, file, problems)
    if problems:
        raise ConfigErrors(problems)
    shared, problems = _shared(data, file, places)
    agents: list[AgentDNA] = []
    for slug, table in _agent_tables(data, file, places, problems):
        agent, found = _agent(slug, table, shared, file, places)
        problems += found
        agents += [agent] if agent else []
    problems += _escalations(data, file, places)
    if not data.get("agents") and not problems:
        problems = [ConfigError("no agent: add a table such as [agents.kyra]", file=file)]
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise ConfigErrors(problems, hint="mend these, then run `ska agents validate`")
    warnings = tuple(_warnings(agents, data, known_skills, file, places))
    return Team(agents=tuple(agents), shared_skills=shared, warnings=warnings)


def _shared(
    data: Mapping[str, Any], file: str, places: Mapping[KeyPath, int]
) -> tuple[tuple[str, ...], list[ConfigError]]:
    problems = [
        ConfigError(
            unknown_key(name, ("team", "agents")),
            file=file,
            line=line_of(places, (name,)),
            key=dotted((name,)),
        )
        for name in data
        if name not in ("team", "agents")
    ]
    table = data.get("team", {})
    if not isinstance(table, dict):
        problems.append(_not_a_table(("team",), table, file, places))
        table = {}
    team, found = check(TeamTable, table, file=file, places=places, prefix=("team",))
    return (team.shared_skill_names if team else ()), problems + found


def _agent_tables(
    data: Mapping[str, Any],
    file: str,
    places: Mapping[KeyPath, int],
    problems: list[ConfigError],
) -> Iterator[tuple[str, dict[str, Any]]]:
    tables = data.get("agents", {})
    if not isinstance(tables, dict):
        problems.append(_not_a_table(("agents",), tables, file, places))
        return
    for slug, table in tables.items():
        if isinstance(table, dict):
            yield slug, table
        else:
            problems.append(_not_a_table(("agents", slug), table, file, places))


def _agent(
    slug: str,
    table: Mapping[str, Any],
    shared: tuple[str, ...],
    file: str,
    places: Mapping[KeyPath, int],
) -> tuple[AgentDNA | None, list[ConfigError]]:
    written = table.get("slug", slug)
    data = {"name": slug.replace("-", " ").title(), "shared_skill_names": shared, **table}
    agent, problems = check(
        AgentDNA, {**data, "slug": slug}, file=file, places=places, prefix=("agents", slug)
    )
    if written != slug:
        path = ("agents", slug, "slug")
        said = f"the table's name is the slug: expected {shown(slug)}, got {shown(written)}"
        problems.append(ConfigError(said, file=file, line=line_of(places, path), key=dotted(path)))
    return agent, [_readable_slug(problem, slug) for problem in problems]


def _readable_slug(problem: ConfigError, slug: str) -> ConfigError:
    """The pattern of a slug in words, for the one mistake people make most."""
    if not problem.key.endswith(".slug") or "matching" not in problem.message:
        return problem
    wanted = "a lower-case letter, then lower-case letters, digits, - or _, at most 40 in all"
    return ConfigError(
        f"expected {wanted}, got {shown(slug)}",
        file=problem.file,
        line=problem.line,
        key=dotted(("agents", slug)),
    )


def _escalations(
    data: Mapping[str, Any], file: str, places: Mapping[KeyPath, int]
) -> Iterator[ConfigError]:
    # From the tables, so that an agent with other mistakes is neither skipped nor missed.
    tables: Any = data.get("agents")
    if not isinstance(tables, dict):
        return
    for slug, table in tables.items():
        path = ("agents", slug, "boundaries", "escalates_to")
        target = value_at(data, path) if isinstance(table, dict) else None
        if not isinstance(target, str) or (target in tables and target != slug):
            continue
        if target == slug:
            said = "an agent cannot escalate to itself"
        else:
            meant = did_you_mean(target, tables) or f"agents here: {', '.join(tables)}"
            said = f"expected the slug of an agent, got {shown(target)}; {meant}"
        yield ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))


def _warnings(
    agents: list[AgentDNA],
    data: Mapping[str, Any],
    known: Collection[str] | None,
    file: str,
    places: Mapping[KeyPath, int],
) -> Iterator[ConfigError]:
    lists: list[tuple[KeyPath, Any]] = [(("team", "shared_skill_names"), data.get("team", {}))]
    fields = ("shared_skill_names", "custom_skill_names", "disabled_skill_names")
    for slug, table in data.get("agents", {}).items():
        lists += [(("agents", slug, field), table) for field in fields]
    for path, table in lists:
        for index, name in enumerate(table.get(path[-1], ())):
            if known is None or name in known:
                continue
            meant = did_you_mean(name, known) or "`ska skills list` shows what there is"
            said = f"unknown skill {shown(name)}; {meant}"
            line = line_of(places, (*path, index))
            yield ConfigError(said, file=file, line=line, key=dotted(path))
    order = ("fast", "balanced", "powerful")
    for agent in agents:
        force, most = agent.model.force_tier, agent.model.max_tier
        if force and most and order.index(force) > order.index(most):
            path = ("agents", agent.slug, "model", "force_tier")
            said = f'"{force}" is above max_tier "{most}"'
            yield ConfigError(said, file=file, line=line_of(places, path), key=dotted(path))


# -- both ------------------------------------------------------------------------------------


def _read(
    text: str, file: str, problems: list[ConfigError]
) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    try:
        return read_toml(text, file)
    except ConfigError as error:
        problems.append(error)
        return {}, {}


def _not_a_table(
    path: KeyPath, given: Any, file: str, places: Mapping[KeyPath, int]
) -> ConfigError:
    return ConfigError(
        f"expected a table, got {shown(given)}",
        file=file,
        line=line_of(places, path),
        key=dotted(path),
    )


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def value_at(table: Any, path: KeyPath) -> Any:
    """What stands at a key path of nested tables; None where nothing does."""
    for part in path:
        if not isinstance(table, dict) or part not in table:
            return None
        table = table[part]
    return table
