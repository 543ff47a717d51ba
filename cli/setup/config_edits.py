"""`ska config get`, `set`, `unset` and `keys`: one setting at a time, for people and scripts.

They read and write the file itself, so they work whoever has the home open, and while a mistake in
the file keeps the home shut.
"""

import os
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..options import JsonOption
from ..output import emit_json, emit_text, narrate, plain, table
from ..surroundings import on_this_machine

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.settings.config_file import ConfigFile
    from skill_agent.values import Setting

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="As in models.default.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `ska config`."""
    app.command("get")(get)
    app.command("set")(set_)
    app.command("unset")(unset)
    app.command("keys")(keys)


def get(ctx: typer.Context, key: KeyArgument, as_json: JsonOption = False) -> None:
    """Print the value of one setting and nothing else.

    Texts come as they are, lists and tables as JSON; passwords in addresses are left out. Exit
    code 2 where there is no such setting.

    \b
    Examples:
      ska config get models.default
      ska config get tui.keys.talk.new
      ska config get models.fallback | jq -r '.[]'
    """
    from skill_agent.errors import NotFound
    from skill_agent.settings.config_file import find
    from skill_agent.settings.mistakes import dotted

    path, name, _ = find(key)
    one = next(each for each in _file(ctx).read() if each.id == dotted(path))
    value = value_of(one)
    if name and name not in value:
        raise NotFound(f'"{name}" does not stand under {one.id}', hint=f"ska config get {one.id}")
    value = value[name] if name else value
    if as_json:
        emit_json({"id": key, "value": value, "origin": one.origin, "default": default_of(one)})
    elif isinstance(value, str):
        emit_text(value)
    else:
        from skill_agent.settings.template import toml_value

        emit_text(_json(value) if isinstance(value, dict | list) else toml_value(value))


def set_(
    ctx: typer.Context,
    key: KeyArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it is to be.")],
) -> None:
    """Write one setting into config.toml, if all of the file is sound then.

    What is around it stays as it is, comments too. Text needs no quotes; lists are separated by
    commas. A host that runs goes by it once it is started again.

    \b
    Examples:
      ska config set models.default ollama/qwen3:8b
      ska config set models.fallback openai/gpt-4o-mini,ollama/qwen3:8b
      ska config set tui.keys.talk.new ctrl+t
      ska config set features.handoff false

    \b
    Exit codes: 0 written, 2 no such setting or not such a value, 1 the file cannot be written.
    """
    if key.startswith("tui.keys."):
        _look_at_keys(ctx, key.removeprefix("tui.keys."), value)
    one = _file(ctx).write(key, value)
    narrate(f"{one.id} = {one.value}")
    narrate("What runs now goes by it once it is started again.")


def unset(ctx: typer.Context, key: KeyArgument) -> None:
    """Take one setting out of config.toml, so that its default holds.

    \b
    Example:
      ska config unset models.fallback
    """
    one = _file(ctx).write(key, None)
    narrate(f"{one.id} = {one.value}, the default" if one.origin == "default" else one.value)


def keys(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List what can be done in the workstation, with its keys and your own.

    Keys of your own go by the id: ska config set tui.keys.ID KEYS. What names no key to change is
    always where it is.

    \b
    Examples:
      ska config keys
      ska config set tui.keys.talk.new ctrl+t,f12
      ska config keys --json | jq -r '.[] | select(.own != "") | .id'
    """
    from ...tui.frame.deeds import keys_of
    from ...tui.frame.own_keys import checked
    from ...tui.places import all_deeds, parts

    own = _own_keys(ctx)
    for problem in checked(own, parts())[1]:
        narrate(f"tui.keys: {problem}")
    found = [
        {
            "id": deed.id,
            "keys": deed.keys,
            "own": own.get(deed.id, ""),
            "slash": deed.slash,
            "what": deed.what or deed.label,
            "changeable": bool(deed.action),
        }
        for deed in all_deeds()
    ]
    if as_json:
        emit_json(found)
        return
    shown = {deed.id: keys_of(deed) for deed in all_deeds()}
    rows = [(one["id"], shown[str(one["id"])], one["own"], one["what"]) for one in found]
    table(("id", "keys", "yours", "what"), rows)


def value_of(one: "Setting") -> Any:
    """What a setting is, of what it says as TOML."""
    return tomllib.loads(f"value = {one.value}")["value"]


def default_of(one: "Setting") -> Any:
    """What it would be without anybody's doing."""
    return tomllib.loads(f"value = {one.default}")["value"]


def _look_at_keys(ctx: typer.Context, deed: str, value: str) -> None:
    """Raises UsageError for a key nobody could press; what another deed loses is told."""
    from skill_agent.errors import UsageError

    from ...tui.frame.own_keys import checked
    from ...tui.places import parts

    deed = deed.strip('"')
    others = {name: own for name, own in _own_keys(ctx).items() if name != deed}
    before = {*checked(others, parts())[1]}
    good, told = checked({**others, deed: value}, parts())
    news = [one for one in told if one not in before]
    if deed not in good:
        raise UsageError("; ".join(news), hint="`ska config keys` lists what can be changed")
    for one in news:
        narrate(one)


def _own_keys(ctx: typer.Context) -> dict[str, str]:
    return value_of(next(one for one in _file(ctx).read() if one.id == "tui.keys"))


def _file(ctx: typer.Context) -> "ConfigFile":
    from skill_agent.settings.config_file import ConfigFile

    home = on_this_machine(ctx).home
    return ConfigFile(home.config, os.environ, slugs=lambda: _slugs(home))


def _slugs(home: "Home") -> tuple[str, ...]:
    """The agents as far as they can be read; nobody where they cannot."""
    from skill_agent.agents.parsing import parse_agents
    from skill_agent.errors import ConfigError
    from skill_agent.files.private import read_text

    try:
        return parse_agents(read_text(home.agents), str(home.agents), None).slugs
    except ConfigError:
        return ()


def _json(value: Any) -> str:
    import json

    return json.dumps(plain(value), ensure_ascii=False)
