"""Environment variables that override config.toml.

The environment is an argument; `os.environ` is never read here.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from skill_agent.errors import ConfigError
from skill_agent.text.nearest import did_you_mean

from .mistakes import Schema, dotted, leaves, shown
from .schema import Settings
from .toml_places import KeyPath

ENVIRONMENT_PREFIX = "SKILL_AGENT_"
"""`SKILL_AGENT_<SECTION>_<KEY>`: SKILL_AGENT_MODELS_DEFAULT, SKILL_AGENT_MODELS_ROLES_FAST …"""

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def environment_variable(path: KeyPath) -> str:
    """The variable that overrides the setting at a key path."""
    return ENVIRONMENT_PREFIX + "_".join(str(part) for part in path).upper()


def read_environment(
    env: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str], list[ConfigError]]:
    """Overrides as a nested table, the variable of each dotted key, and what is mistaken."""
    schema = Settings.model_json_schema()
    known = {environment_variable(path): (path, node) for path, node in leaves(schema)}
    sections = {f"{ENVIRONMENT_PREFIX}{name.upper()}_" for name in schema["properties"]}
    override: dict[str, Any] = {}
    variables: dict[str, str] = {}
    problems: list[ConfigError] = []
    for name, raw in sorted(env.items()):
        if name in known and raw.strip():
            path, node = known[name]
            try:
                _put(override, path, value_of(raw.strip(), node))
            except ValueError as error:
                problems.append(ConfigError(str(error), file="environment", key=name))
            variables[dotted(path)] = name
        elif name not in known and name.startswith(tuple(sections)):
            meant = did_you_mean(name, known) or "`ska config show` lists the keys"
            problems.append(ConfigError(f"no such setting; {meant}", file="environment", key=name))
    return override, variables, problems


def value_of(raw: str, node: Schema) -> Any:
    """A text as the type its setting has; raises ValueError in words."""
    match node.get("type"):
        case "integer" | "number" as kind:
            try:
                number = int(raw) if kind == "integer" else float(raw)
                if math.isfinite(number) and abs(number) < 2**63:
                    return number
            except (ValueError, OverflowError):
                pass
            wanted = "a whole number" if kind == "integer" else "a number"
            raise ValueError(f"expected {wanted}, got {shown(raw)}")
        case "boolean":
            if raw.lower() not in _TRUE + _FALSE:
                raise ValueError(f"expected true or false, got {shown(raw)}")
            return raw.lower() in _TRUE
        case "array":
            items = node.get("items", {})
            return [value_of(item.strip(), items) for item in raw.split(",") if item.strip()]
        case "object":
            return dict(_pairs(raw))
        case _:
            return raw


def _pairs(raw: str) -> Iterator[tuple[str, str]]:
    for item in raw.split(","):
        name, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"expected NAME=VALUE,NAME=VALUE, got {shown(raw)}")
        yield name.strip(), value.strip()


def _put(table: dict[str, Any], path: KeyPath, value: Any) -> None:
    for part in path[:-1]:
        table = table.setdefault(str(part), {})
    table[str(path[-1])] = value
