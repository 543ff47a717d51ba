"""The commented config.toml of a new home and its JSON schema, made from the models in `schema`.

Generated, so that neither can drift from what is read.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from . import schema as settings_module
from .mistakes import Schema, dotted, expected, leaves
from .parsing import value_at
from .schema import Settings
from .toml_places import KeyPath

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HEAD = """\
# Settings of this home. A line that begins with "# name =" shows a default; take the "# " away
# to change it. Every key can also come from the environment, which wins over this file:
# SKILL_AGENT_<SECTION>_<KEY>, for instance SKILL_AGENT_MODELS_DEFAULT or
# SKILL_AGENT_MODELS_ROLES_FAST; lists are separated by commas.
# `ska config show` tells each value and where it comes from, `ska config validate` finds mistakes.
# Keys of model providers never belong here: set OPENAI_API_KEY and the like in the environment.
"""


def default_config_text(chosen: Mapping[str, Any] | None = None) -> str:
    """config.toml with every key explained and commented out, but for those `chosen`.

    `chosen` holds values by dotted key, e.g. `{"models.default": "openai/gpt-4o"}`.
    """
    schema = settings_schema()
    chosen = chosen or {}
    lines = [_HEAD.rstrip()]
    for section, keys in _by_section(schema).items():
        lines += ["", f"[{dotted(section)}]"]
        for path, node in keys:
            key, default = dotted(path), value_at(Settings().model_dump(), path)
            lines += _explained(schema, node)
            if key in chosen:
                lines.append(f"{path[-1]} = {toml_value(chosen[key])}")
            else:
                lines.append(f"# {path[-1]} = {toml_value(default)}")
    return "\n".join(lines) + "\n"


def settings_schema() -> dict[str, Any]:
    """The JSON schema of config.toml, each key with its description."""
    schema = described(Settings.model_json_schema(), settings_module)
    return {"$schema": DIALECT, "$id": "skill-agent:config.toml", **schema}


def toml_value(value: Any) -> str:
    """A plain value as TOML writes it on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
        case dict():
            pairs = (f"{dotted((name,))} = {toml_value(item)}" for name, item in value.items())
            return "{ " + ", ".join(pairs) + " }" if value else "{}"
        case _:
            return str(value)


def _explained(schema: Schema, node: Schema) -> list[str]:
    wanted = expected(schema, node)
    meaning = " ".join(str(node.get("description", "")).split())
    ranged = wanted not in ("text in quotes", "a table", "a list, each text in quotes")
    text = " ".join(part for part in (meaning, f"({wanted})" if ranged else "") if part)
    return [""] + ([f"# {text}"] if text else [])


def _by_section(schema: Schema) -> dict[KeyPath, list[tuple[KeyPath, Schema]]]:
    """Every key under its table, since TOML allows each table's header only once."""
    sections: dict[KeyPath, list[tuple[KeyPath, Schema]]] = {}
    for path, node in leaves(schema):
        sections.setdefault(path[:-1], []).append((path, node))
    return sections


def described(schema: dict[str, Any], module: ModuleType) -> dict[str, Any]:
    """The schema with each attribute's docstring, read from the module, as its description."""
    docs = _attribute_docs(module)
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, node in part.get("properties", {}).items():
            if text := docs.get(part.get("title", ""), {}).get(name):
                node["description"] = text
    return schema


def _attribute_docs(module: ModuleType) -> dict[str, dict[str, str]]:
    """Class name to attribute name to the string written under it, from the module's source."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = docs = {}
            for before, after in zip(node.body, node.body[1:], strict=False):
                match before, after:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        docs[name] = inspect.cleandoc(text)
    return found
