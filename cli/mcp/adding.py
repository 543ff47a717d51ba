"""`ska mcp add|remove`: servers in config.toml, shown before they are written."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import ConfigErrors, NotFound, UsageError

from ..options import JsonOption, YesOption
from ..output import emit_json, narrate, plain
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.mcp_client.foreign import Foreign
    from skill_agent.settings.schema import McpServer

_FROM_BYTES = 1_000_000


def add(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME [-- COMMAND ARGS…]", help="The server's name, and what starts it."
        ),
    ] = None,
    command: Annotated[
        str, typer.Option("--command", metavar="LINE", help="What starts it, as one text.")
    ] = "",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="A server over streamable HTTP instead.")
    ] = "",
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="VAR", help="A variable it gets, by name; repeatable."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header", metavar="NAME=VAR", help="A header, and the variable that holds it."
        ),
    ] = None,
    cwd: Annotated[str, typer.Option("--cwd", metavar="DIR", help="Where it is started.")] = "",
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Settings of another program, as JSON."),
    ] = None,
    agent: Annotated[
        str, typer.Option("--for", metavar="AGENT", help="Let this agent use it.")
    ] = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Name a server whose tools agents may use; what will be written is shown first.

    config.toml holds names of variables, never their values: set those where
    the host runs. A host that is up takes the server from the file by itself.

    With --from the servers of another program's file are taken over, all or
    those named: `mcpServers` (Claude, Cursor, Gemini …), `servers` (VS Code),
    `context_servers` (Zed). Values of variables stay where they are; what to
    set instead is told.

    \b
    Examples:
      ska mcp add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes
      ska mcp add github --env GITHUB_TOKEN --for kyra -- github-mcp-server stdio
      ska mcp add tickets --url https://tickets.example/mcp --header Authorization=TICKETS_AUTH
      ska mcp add --from ~/.cursor/mcp.json
      ska mcp add --from .mcp.json github --yes

    \b
    Exit codes: 0 written, 1 declined, 2 it cannot be written like that.
    """
    from skill_agent.files.private import write_private

    around = on_this_machine(ctx)
    home, words = _home(around), words or []
    if source is not None:
        if command or url or env or header or cwd:
            raise UsageError("--from takes servers as they are", hint="leave the other options out")
        found = _from_file(source, words)
    else:
        found = [_named(words, command, url, env or [], header or [], cwd)]
    if agent:
        agent = _agents(home).get(agent).slug
    _tell_plan(found)
    taken = {one.name: one.server for one in found if one.server is not None}
    if not taken:
        raise UsageError("there is nothing to write", hint=_why(found))
    if not yes and not around.confirm(f"Write that to {home.config}?"):
        narrate("nothing was written")
        raise typer.Exit(1)
    text = _text_with(home, taken)
    if agent:
        for name in taken:
            _agents(home).let_use(agent, name)
    write_private(home.config, text)
    _tell_written(home, found, as_json=as_json)


def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `ska mcp list` shows it.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a server out of config.toml; a host that is up ends it.

    \b
    Examples:
      ska mcp remove github
      ska mcp remove github --yes
    """
    from skill_agent.files.private import read_text, write_private
    from skill_agent.mcp_client.entries import without_server
    from skill_agent.text.nearest import did_you_mean

    around = on_this_machine(ctx)
    home = _home(around)
    servers = _settings(home, read_text(home.config)).servers
    if name not in servers:
        raise NotFound(f"no server {name!r}", hint=did_you_mean(name, [*servers]) or "ska mcp list")
    users = _users(home, name)
    if not yes and not around.confirm(f"Remove {name} from {home.config}?"):
        narrate("nothing was changed")
        raise typer.Exit(1)
    text = without_server(read_text(home.config), name)
    _settings(home, text)
    write_private(home.config, text)
    if as_json:
        emit_json({"id": name, "used_by": users})
        return
    narrate(f"removed: {name}")
    if users:
        narrate(f"still named in agents.toml, where it means nothing now: {', '.join(users)}")


def next_step(name: str) -> str:
    """What lets an agent use a server."""
    return f'mcp = ["{name}"] under [agents.SLUG] in agents.toml'


# -- what is to be written -------------------------------------------------------------------


def _named(
    words: list[str], command: str, url: str, env: list[str], header: list[str], cwd: str
) -> "Foreign":
    from pydantic import ValidationError

    from skill_agent.mcp_client.foreign import Foreign, plain_name
    from skill_agent.settings.schema import McpServer

    if not words:
        raise UsageError("which server?", hint="ska mcp add NAME -- COMMAND ARGS…")
    name, *line = words
    if plain_name(name) != name:
        raise UsageError(
            f"{name!r} is no name: at most 32 letters, digits, - and _",
            hint=f"for instance {plain_name(name) or 'files'}",
        )
    line = line or _split(command)
    if bool(line) == bool(url):
        raise UsageError(
            "give either a command or --url",
            hint=f"ska mcp add {name} -- COMMAND ARGS…, or ska mcp add {name} --url https://…",
        )
    _check_names(env)
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no address", hint="https://… or http://…")
    headers = _headers(header)
    first, *rest = line or [""]
    if os.sep in first and not cwd and not first.startswith("~"):
        first = str(Path(first).absolute())  # it is started in another folder than this one
    try:
        server = McpServer(
            command=first, args=tuple(rest), env=tuple(env), cwd=cwd, url=url, headers=headers
        )
    except ValidationError as error:
        raise UsageError(str(error.errors()[0]["msg"])) from None
    return Foreign(name=name, server=server)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--command: {error}", hint="give it after -- instead") from None


def _check_names(names: list[str]) -> None:
    for name in names:
        if "=" in name:
            said = name.partition("=")[0]
            raise UsageError(
                f"--env takes the name of a variable, never its value: {said}",
                hint=f"--env {said}, and export {said}=… where the host runs",
            )
        if not name.isidentifier():
            raise UsageError(f"--env: {name!r} is no name of a variable")


def _headers(given: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for one in given:
        name, _, variable = one.partition("=")
        if not name.strip() or not variable.isidentifier():
            raise UsageError(
                "--header takes NAME=VAR, the variable that holds the header's value",
                hint="--header Authorization=GITHUB_AUTH, and export GITHUB_AUTH='Bearer …'",
            )
        headers[name.strip()] = variable
    return headers


def _from_file(source: Path, names: list[str]) -> "list[Foreign]":
    from skill_agent.errors import ConfigError
    from skill_agent.files.private import read_json
    from skill_agent.mcp_client.foreign import plain_name, servers_in
    from skill_agent.text.nearest import did_you_mean

    try:
        document = read_json(source.expanduser(), most=_FROM_BYTES)
    except ConfigError as error:
        hint = "comments and trailing commas are no JSON: take them out of a copy"
        raise UsageError(error.message, hint=hint if "JSON" in error.message else "") from None
    found = servers_in(document, str(source))
    wanted = {plain_name(name) for name in names}
    known = {one.name for one in found}
    for name in sorted(wanted - known):
        near = did_you_mean(name, [*known]) or f"it names {', '.join(sorted(known))}"
        raise NotFound(f"{source} names no server {name!r}", hint=near)
    return [one for one in found if not wanted or one.name in wanted]


# -- showing and writing ---------------------------------------------------------------------


def _tell_plan(found: "list[Foreign]") -> None:
    from skill_agent.mcp_client.entries import block

    for one in found:
        if one.server is None:
            narrate(f"not taken over: {one.name}: {one.refused}")
        else:
            narrate(block(one.name, one.server))


def _why(found: "list[Foreign]") -> str:
    return "; ".join(f"{one.name}: {one.refused}" for one in found) or "the file names no server"


def _text_with(home: "Home", taken: "dict[str, McpServer]") -> str:
    """config.toml with them; raises ConfigErrors where the settings would not be read."""
    from skill_agent.files.private import read_text
    from skill_agent.mcp_client.entries import with_server

    text = read_text(home.config)
    _settings(home, text)
    for name, server in taken.items():
        text = with_server(text, name, server)
    _settings(home, text)
    return text


def _settings(home: "Home", text: str):
    """`[mcp]` as it is read from such a text."""
    from skill_agent.settings.parsing import parse_settings

    try:
        return parse_settings(text, str(home.config), dict(os.environ))[0].mcp
    except ConfigErrors as error:
        hint = f"{home.config} was not changed; {error.hint}"
        raise ConfigErrors(error.problems, hint=hint) from None


def _tell_written(home: "Home", found: "list[Foreign]", *, as_json: bool) -> None:
    taken = [one for one in found if one.server is not None]
    if as_json:
        emit_json(
            [
                {
                    "id": one.name,
                    "written": one.server is not None,
                    "server": plain(one.server),
                    "exports": one.exports,
                    "problem": one.refused,
                    "used_by": _users(home, one.name),
                }
                for one in found
            ]
        )
        return
    narrate(f"written: {', '.join(one.name for one in taken)}")
    exports = [line for one in taken for line in one.exports]
    exports += [
        f"export {name}=…"
        for one in taken
        for name in _variables(one)
        if not os.environ.get(name) and not any(f" {name}=" in line for line in exports)
    ]
    if exports:
        narrate("set where the host runs, then start it anew (ska down):")
        narrate("\n".join(f"  {line}" for line in exports))
    for one in taken:
        users = _users(home, one.name)
        narrate(
            f"{', '.join(users)} may use {one.name}"
            if users
            else f"to let an agent use {one.name}: {next_step(one.name)}"
        )
    narrate(f"try it: ska mcp test {taken[0].name}")


def _variables(one: "Foreign") -> list[str]:
    assert one.server is not None
    return [*one.server.env, *one.server.headers.values()]


# -- the home --------------------------------------------------------------------------------


def _home(around: Surroundings) -> "Home":
    home = around.home
    if not home.exists:
        raise NotFound(f"there is no home at {home.root} to write to", hint="ska init")
    return home


def _agents(home: "Home"):
    from skill_agent.agents.directory import AgentDirectory

    return AgentDirectory(home.agents)


def _users(home: "Home", name: str) -> list[str]:
    from skill_agent.errors import ConfigError

    try:
        agents = _agents(home).list()
    except ConfigError:
        return []
    return [one.slug for one in agents if any(e.partition(":")[0].strip() == name for e in one.mcp)]
