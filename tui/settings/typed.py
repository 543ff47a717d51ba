"""A setting's value as one reads and writes it, and back to what the home takes. Draws nothing."""

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from skill_agent.values import Setting

from ..frame.plain import printable

_BARE = re.compile(r"[A-Za-z0-9_-]+")
THEME = "tui.theme"


def value_of(text: str) -> Any:
    """The value that config.toml's text says."""
    return tomllib.loads(f"value = {text}")["value"]


def at_once(setting: Setting) -> bool:
    """Whether a window that is open can go by a change: it is of nothing but the window."""
    return setting.id.startswith("tui.")


def waits(setting: Setting) -> bool:
    """Whether it was changed, and what runs goes by the old one."""
    return setting.waits and not at_once(setting)


def shown(setting: Setting) -> str:
    """Short, as it stands in the list."""
    return words_of(value_of(setting.value))


def words_of(value: Any) -> str:
    """Any value for a person."""
    match value:
        case bool():
            return "on" if value else "off"
        case "" | [] | {}:
            return "–"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(value)
        case _:
            return str(value)


def lines_of(setting: Setting) -> str:
    """What one begins to edit with: lists and tables a line each; nothing of what is secret."""
    if setting.hidden:
        return ""
    value = value_of(setting.value)
    match value:
        case list():
            return "\n".join(map(str, value))
        case dict():
            return "\n".join(f"{_name(name)} = {inline(inner)}" for name, inner in value.items())
        case _:
            return str(value)


def written(setting: Setting, text: str) -> str:
    """What is sent to the home for what was typed; raises ValueError in words."""
    if setting.kind == "list":
        items = [one.strip() for one in text.splitlines() if one.strip()]
        numbers = "number" in setting.wanted
        return f"[{', '.join(items)}]" if numbers else inline(items)
    if setting.kind == "table":
        try:
            return inline(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f'a line each, name = "value": {error}') from None
    return text


def inline(value: Any) -> str:
    """A value on one line, as TOML has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            pairs = (f"{_name(name)} = {inline(inner)}" for name, inner in value.items())
            return "{ " + ", ".join(pairs) + " }" if value else "{}"
        case list():
            return "[" + ", ".join(map(inline, value)) + "]"
        case _:
            return str(value)


def section_of(setting: Setting) -> str:
    """`models.roles` of `models.roles.fast`."""
    return setting.id.rpartition(".")[0]


def found(settings: Sequence[Setting], words: str, *, mine: bool) -> list[Setting]:
    """Those with all the words in their key, meaning or value; `mine` leaves out defaults."""

    def text(one: Setting) -> str:
        return f"{one.id} {one.about} {one.value} {' '.join(one.choices)}".casefold()

    wanted = words.casefold().split()
    return [
        one
        for one in settings
        if all(word in text(one) for word in wanted) and (not mine or one.origin != "default")
    ]


def came_from(setting: Setting) -> str:
    """Where its value comes from, in words."""
    match setting.origin:
        case "default":
            return "its default"
        case "file":
            return f"config.toml, line {setting.line}" if setting.line else "config.toml"
        case "env":
            return f"the environment: {setting.variable}"


def about(setting: Setting) -> str:
    """What it means, without marks of code."""
    return printable(setting.about.replace("`", ""))


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
