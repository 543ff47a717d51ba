"""config.toml: text in, settings out; every mistake of the file reported together.

Precedence: defaults < config.toml < environment. Pure: no file is opened, and what is in the
environment is an argument.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from skill_agent.errors import ConfigError, ConfigErrors
from skill_agent.text.nearest import did_you_mean

from .environment import read_environment
from .mistakes import check, dotted, leaves, read_toml, shown
from .schema import Settings
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


# -- config.toml -----------------------------------------------------------------------------


def parse_settings(
    text: str, file: str, env: Mapping[str, str]
) -> tuple[Settings, dict[str, Origin]]:
    """The settings, and the origin of each by dotted key; raises ConfigErrors."""
    problems: list[ConfigError] = []
    settings: Settings | None = Settings()
    data, places = read_table(text, file, problems)
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


# -- both ------------------------------------------------------------------------------------


def read_table(
    text: str, file: str, problems: list[ConfigError]
) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    try:
        return read_toml(text, file)
    except ConfigError as error:
        problems.append(error)
        return {}, {}


def not_a_table(path: KeyPath, given: Any, file: str, places: Mapping[KeyPath, int]) -> ConfigError:
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
