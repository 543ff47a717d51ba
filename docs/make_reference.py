"""Writes docs/reference and the man page from the code: commands, routes, events, settings, keys.

python docs/make_reference.py

A test holds the pages against what this would write, so they cannot drift.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from skill_agent.cli.exit_codes import MEANING
from skill_agent.cli.main import app
from skill_agent.cli.setup.topics import ENVIRONMENT, FORMATTING, IDS
from skill_agent.tui.frame.deeds import keys_of
from skill_agent.tui.places import parts

import skill_agent.events as told
from skill_agent import __version__
from skill_agent.api.app import BY_HAND
from skill_agent.settings.schema import Settings
from skill_agent.settings.template import settings_schema, toml_value
from skill_agent.workstation import table

FOLDER = Path(__file__).with_name("reference")
MAN = Path(__file__).with_name("ska.1")
MADE = "<!-- Made by docs/make_reference.py; edit the code, not this page. -->\n\n"
Schema = Mapping[str, Any]


def pages() -> dict[Path, str]:
    """Each page with its text."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "commands": commands, "routes": routes, "events": events, "settings": settings,
        "keys": keys, "exit-codes": exit_codes,
    }  # fmt: skip
    made = {FOLDER / f"{name}.md": MADE + "\n".join(make()) + "\n" for name, make in makers.items()}
    return {**made, MAN: "\n".join(man()) + "\n"}


# -- commands ---------------------------------------------------------------------------------


def leaves(command: Any, path: tuple[str, ...] = ("ska",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by how it is called."""
    context = typer.Context(command, info_name=path[-1])
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*path, name))


def commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "Every command also takes `--help`; `ska --home PATH` and `ska --api URL` come before it."
    for name, command in leaves(typer.main.get_command(app)):
        help_text, examples = _parted(command.help or "")
        yield f"\n## {name}\n"
        yield help_text
        yield "\n```text"
        yield f"{name} {' '.join(_usage(command))}".rstrip()
        yield "```\n"
        if rows := [*_options(command)]:
            yield "| option | what |\n|---|---|"
            yield from rows
        if examples:
            yield f"\n```sh\n{examples}\n```"


def _parted(text: str) -> tuple[str, str]:
    """A help text without its examples, and those."""
    text = inspect.cleandoc(text).replace("\b\n", "")
    found = re.search(r"^Examples?:\n((?:[ \t]+.*\n?|\n)+)", text, re.MULTILINE)
    if found is None:
        return _plain(text), ""
    # What stands behind two blanks is said of the command.
    examples = re.sub(r"(?m)(\S) {2,}(?=\S)(?!#)", r"\1  # ", inspect.cleandoc(found[1]))
    return _plain(text[: found.start()] + text[found.end() :]), examples


def _plain(text: str) -> str:
    return text.strip().replace("<", "&lt;").replace("|", "&#124;")


def _usage(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.param_type_name == "argument":
            name = (one.metavar or one.name.upper()).strip("[]")
            yield name if one.required else f"[{name}]"
    yield "[OPTIONS]"


def _options(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.param_type_name != "option" or getattr(one, "hidden", False):
            continue
        value = "" if one.is_flag else f" {one.metavar or 'VALUE'}"
        names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
        yield f"| {names}{f' `{value.strip()}`' if value else ''} | {_plain(one.help or '')} |"


# -- routes and events ------------------------------------------------------------------------


def routes() -> Iterator[str]:
    yield "# Routes of the API\n"
    yield "`ska api ROUTE` sends a request to any of them; `GET /openapi.json` has their shapes."
    yield "What is marked *here* is on the home's own socket only."
    yield "[What a key may do](../scopes.md)."
    yield "\n| route | scope | what |\n|---|---|---|"
    found = [(one.route, inspect.getdoc(one.function) or "") for one in table()]
    found += [(route, "") for route in BY_HAND]
    for route, doc in sorted(found, key=lambda pair: (pair[0].path, pair[0].verb)):
        here = " *here*" if route.local else ""
        what = _plain(" ".join(doc.split("\n\n")[0].split()))
        yield f"| `{route.verb} {route.path}` | {route.scope}{here} | {what} |"


def events() -> Iterator[str]:
    yield "# Events\n"
    yield "What `GET /v1/events` and `ska ask --jsonl` tell, one JSON object each; `type` is its"
    yield "name."
    kinds = [one for one in vars(told).values() if inspect.isclass(one) and _told_by_name(one)]
    for kind in sorted({*kinds}, key=lambda one: one.__name__):
        yield f"\n## {_snake(kind.__name__)}\n"
        yield _plain(inspect.getdoc(kind) or "")
        yield "\n| field | type |\n|---|---|"
        for field in dataclasses.fields(kind):
            yield f"| `{field.name}` | `{_type(field.type)}` |"


def _told_by_name(kind: type) -> bool:
    return (
        dataclasses.is_dataclass(kind)
        and issubclass(kind, told.AnyEvent)
        and not (kind.__subclasses__())
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _type(kind: Any) -> str:
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return re.sub(r"\b[\w.]+\.(\w+)", r"\1", text).replace("|", "or")


# -- settings, keys, exit codes ---------------------------------------------------------------


def settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "`config.toml` in the home; each also as `SKILL_AGENT_SECTION_KEY` in the environment,"
    yield "which wins. `ska config show` tells what holds and where it comes from; F10 changes it."
    schema, defaults = settings_schema(), Settings().model_dump()
    for section, ref in schema["properties"].items():
        node = _resolved(schema, ref)
        yield f"\n## [{section}]\n"
        yield "| key | default | what |\n|---|---|---|"
        yield from _keys(schema, node, defaults[section], "")


def _keys(schema: Schema, node: Schema, defaults: Any, path: str) -> Iterator[str]:
    for name, one in node.get("properties", {}).items():
        inner = _resolved(schema, one)
        value = defaults.get(name) if isinstance(defaults, dict) else None
        if inner.get("properties") and isinstance(value, dict):
            yield from _keys(schema, inner, value, f"{path}{name}.")
            continue
        shown = _plain(toml_value(value)) if value is not None else ""
        what = _plain(" ".join((one.get("description") or inner.get("description", "")).split()))
        yield f"| `{path}{name}` | {f'`{shown}`' if shown else ''} | {what} |"


def _resolved(schema: Schema, node: Schema) -> Schema:
    ref = node.get("$ref") or next(
        (one["$ref"] for one in node.get("allOf", ()) if "$ref" in one), ""
    )
    return schema["$defs"][ref.rsplit("/", 1)[-1]] if ref else node


def keys() -> Iterator[str]:
    yield "# Keys of the workstation\n"
    yield "F1 shows them; what can be done here and now is in the line at the bottom. Keys of your"
    yield 'own go by the id: `[tui.keys]` in `config.toml`, `"talk.new" = "ctrl+t"`. A slash'
    yield "command is typed into the message."
    for part in parts():
        yield f"\n## {part.title}\n"
        yield "| key | slash | what | id |\n|---|---|---|---|"
        for deed in part.deeds:
            if deed.what:
                slash = f"`/{deed.slash}`" if deed.slash else ""
                shown = _plain(keys_of(deed))
                yield f"| {shown} | {slash} | {_plain(deed.what)} | `{deed.id}` |"


def exit_codes() -> Iterator[str]:
    yield "# Exit codes, environment, output, ids\n"
    yield "`ska help` tells the same.\n\n| code | means |\n|---|---|"
    yield from (f"| {code} | {said} |" for code, said in MEANING.items())
    yield "\n## Environment\n\n| variable | what |\n|---|---|"
    yield from (f"| `{name}` | {_plain(said)} |" for name, said in ENVIRONMENT.items())
    yield f"\n## Output\n\n```text\n{FORMATTING}\n```\n\n## Ids\n\n{IDS}"


# -- the man page -----------------------------------------------------------------------------


def man() -> Iterator[str]:
    yield f'.TH SKA 1 "" "skill-agent {__version__}" "User Commands"'
    yield ".SH NAME\nska \\- a terminal workstation for a team of named AI agents that never forget"
    yield ".SH SYNOPSIS\n.B ska\n[\\-\\-home PATH] [COMMAND] [ARGS]"
    yield ".SH DESCRIPTION\nWithout a command the full-screen workstation opens. Data goes to"
    yield "standard output, what goes on to standard error."
    yield ".SH COMMANDS"
    for name, command in leaves(typer.main.get_command(app)):
        first = inspect.cleandoc(command.help or "").split("\n")[0]
        yield f".TP\n.B {_roff(name)}\n{_roff(first)}"
    yield ".SH EXIT STATUS"
    yield from (f".TP\n.B {code}\n{_roff(said)}" for code, said in MEANING.items())
    yield ".SH ENVIRONMENT"
    yield from (f".TP\n.B {_roff(name)}\n{_roff(said)}" for name, said in ENVIRONMENT.items())


def _roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in ".'" else text


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(FOLDER.parent.parent))
