"""`ska mcp install|uninstall|status`: the home in other programs' settings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import SkillAgentError, UsageError

from ..options import JsonOption, YesOption, choice
from ..output import emit_json, emit_text, narrate, table
from ..surroundings import Surroundings, on_this_machine

if TYPE_CHECKING:
    from .clients.changing import Change, Done, Thought
    from .clients.known import Client, Scope

NAME = "ska"
"""What the server is called in a client's settings."""

_ClientArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CLIENT", help="claude-code, codex, opencode, gemini, cursor, vscode or zed."
    ),
]
_ScopeOption = Annotated[
    str,
    typer.Option("--scope", metavar="SCOPE", help="user, or project: the folder you are in."),
]
_NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What the server is called there.")
]
_DryOption = Annotated[bool, typer.Option("--dry-run", help="Show the change; write nothing.")]


def register(app: typer.Typer) -> None:
    """Puts the commands on their group."""
    app.command()(install)
    app.command()(uninstall)
    app.command()(status)


def install(
    ctx: typer.Context,
    client: _ClientArgument = None,
    scope: _ScopeOption = "user",
    agent: Annotated[
        str,
        typer.Option(
            "--as", metavar="AGENT", help="With whose eyes it sees; left out, its own agent's."
        ),
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="It may search and read, and write nothing.")
    ] = False,
    name: _NameOption = NAME,
    yes: YesOption = False,
    dry_run: _DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set a client up to use this home: Claude Code, Codex, an editor.

    Shows what would change in the client's own file, asks, and writes it in the client's own form:
    comments and everything else there stay as they are. What the file held is kept beside it as
    NAME.ska-backup. No key and nothing of your environment is written. Without CLIENT it lists the
    clients.

    \b
    Examples:
      ska mcp install                                   list the clients and their files
      ska mcp install claude-code
      ska mcp install zed --as kyra --read-only
      ska mcp install vscode --scope project --yes

    \b
    Exit codes: 0 set up (also if it was already), 1 shown but not written, 2 wrong usage, nobody
    could be asked, or the file there cannot be changed from here.
    """
    around = on_this_machine(ctx)
    if client is None:
        _list_clients(as_json=as_json)
        return
    from .clients.changing import putting, snippet
    from .clients.command import command, refuse_replaced
    from .clients.known import client_named

    known, where = client_named(client), _scope(scope)
    words = command(
        home=around.path, agent=_slug(ctx, agent), read_only=read_only, called=sys.argv[0]
    )
    refuse_replaced(words, known)
    file, think = _place(known, where, name), putting(known, _named(name), words)
    try:
        shown = _thought(file, think)
    except SkillAgentError as problem:
        by_hand = f"mend the file, or put this in by hand:\n{snippet(known, name, words)}"
        problem.hint = f"{problem.hint}\n{by_hand}" if problem.hint else by_hand
        raise
    asked = _Asked(around, yes=yes, dry_run=dry_run, as_json=as_json)
    if shown.state == "foreign":
        asked.about_foreign(name, shown)
    done = asked.carried_out(shown, think, where, f"Write {file}?")
    _tell_installed(known, where, name, done, shown, as_json=as_json)
    if not around.home.exists:
        narrate(f"there is no home at {around.home.root} yet: ska init")


def uninstall(
    ctx: typer.Context,
    client: _ClientArgument = None,
    scope: _ScopeOption = "user",
    name: _NameOption = NAME,
    yes: YesOption = False,
    dry_run: _DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take this home out of a client's settings again.

    Takes out exactly the entry that `ska mcp install` writes and leaves all else; a file that
    holds nothing else is removed. An entry of that name with another command is left alone.

    \b
    Examples:
      ska mcp uninstall claude-code
      ska mcp uninstall vscode --scope project --yes

    \b
    Exit codes: 0 gone (also if it was not there), 1 shown but not removed, 2 wrong usage, nobody
    could be asked, or the entry there is not ours.
    """
    around = on_this_machine(ctx)
    if client is None:
        raise UsageError("out of which client?", hint="ska mcp status lists where it is set up")
    from .clients.changing import taking
    from .clients.known import client_named

    known, where = client_named(client), _scope(scope)
    file, think = _place(known, where, name), taking(known, _named(name))
    shown = _thought(file, think)
    if shown.state == "foreign":
        raise UsageError(
            f"{name!r} in {file} is another server's entry; it was left as it is",
            hint="--name NAME, if ours is called something else: ska mcp status",
        )
    asked = _Asked(around, yes=yes, dry_run=dry_run, as_json=as_json)
    done = asked.carried_out(shown, think, where, f"Take it out of {file}?")
    _tell_uninstalled(known, where, name, done, shown, as_json=as_json)


def status(
    ctx: typer.Context,
    seconds: Annotated[
        float,
        typer.Option("--timeout", min=0.1, metavar="SECONDS", help="How long each may take."),
    ] = 15.0,
    as_json: JsonOption = False,
) -> None:
    """Say which clients use this program, as whom, and whether what they start answers.

    Every command that stands in a client's file is started as the client would start it, and
    greeted. In a project's file, which may come from somebody else, only what this program would
    have written itself is started. While nothing hosts the home an answer takes seconds.

    \b
    Examples:
      ska mcp status
      ska mcp status --json | jq '.[] | select(.answers == false) | .problem'

    \b
    Exit codes: 0 all that is set up answers (also if nothing is), 1 something does not.
    """
    around = on_this_machine(ctx)
    from .clients.command import command
    from .clients.places import Machine
    from .clients.standing import standings

    mine = command(home=around.path, called=sys.argv[0])
    found = standings(Machine.here(), mine=mine, seconds=seconds)
    if as_json:
        emit_json([one.as_object() for one in found])
    else:
        columns = ("client", "scope", "installed", "as", "answers", "file")
        table(columns, [one.as_row() for one in found])
    for one in found:
        if one.problem and not as_json:
            narrate(f"{one.client} ({one.scope}): {one.problem}")
            if one.hint:
                narrate(f"hint: {one.hint}")
    if any(one.problem for one in found):
        raise typer.Exit(1)


class _Asked:
    """How a person agrees to a change."""

    def __init__(self, around: Surroundings, *, yes: bool, dry_run: bool, as_json: bool) -> None:
        self._around, self._yes, self._dry, self._json = around, yes, dry_run, as_json

    def about_foreign(self, name: str, shown: "Change") -> None:
        """A stranger's entry is replaced only by a person who was asked, whatever `--yes` says."""
        self._yes = False
        if not (self._dry or self._around.interactive):
            self._show(shown)
            raise UsageError(
                f"another server is called {name!r} in {shown.found.file}; nothing was changed",
                hint="--name OTHER calls ours something else; in a terminal you can replace it",
            )
        narrate(f"another server is called {name!r} there, and would be replaced")

    def carried_out(
        self, shown: "Change", think: "Thought", scope: "Scope", question: str
    ) -> "Done | None":
        """Shows it, asks, does it; None where it was only to be shown, or nothing is to change."""
        if not shown.changes:
            return None
        from .clients.changing import do

        self._show(shown)
        if self._dry:
            narrate("nothing was written: --dry-run")
            return None
        if not self._yes and not self._around.interactive:
            raise UsageError("nothing was changed, because nobody could be asked", hint="--yes")
        if not self._yes and not self._around.confirm(question, default=False):
            raise SkillAgentError("nothing was changed")
        return do(shown, think, scope=scope)

    def _show(self, shown: "Change") -> None:
        from .clients.showing import diff

        if self._json:
            narrate(diff(shown))
        else:
            emit_text(diff(shown))


def _tell_installed(
    client: "Client", scope: "Scope", name: str, done: "Done | None", shown: "Change", *,
    as_json: bool,
) -> None:  # fmt: skip
    already = shown.state == "same"
    if as_json:
        emit_json(_object(client, scope, name, done, shown, installed=already or done is not None))
    if already:
        off = ", where it is switched off" if shown.off else ""
        narrate(f"already installed: {name!r} in {shown.found.file}{off}")
    elif done:
        narrate(f"wrote {shown.found.file}" + _kept(done))
    if done or already:
        narrate(client.then)
        if scope == "project":
            narrate(f"{client.project}; the path of `ska` in it is that of this machine")


def _tell_uninstalled(
    client: "Client", scope: "Scope", name: str, done: "Done | None", shown: "Change", *,
    as_json: bool,
) -> None:  # fmt: skip
    absent = shown.state == "absent"
    if as_json:
        emit_json(_object(client, scope, name, done, shown, installed=not absent and done is None))
    if absent:
        narrate(f"not installed: there is no {name!r} in {shown.found.file}")
    elif done and done.change.after is None:
        narrate(f"removed {shown.found.file}, which held nothing else")
    elif done:
        narrate(f"took it out of {shown.found.file}" + _kept(done))


def _object(
    client: "Client", scope: "Scope", name: str, done: "Done | None", shown: "Change", *,
    installed: bool,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": f"{client.name}:{scope}:{name}",
        "client": client.name,
        "scope": scope,
        "name": name,
        "file": str(shown.found.file),
        "installed": installed,
        "written": done is not None,
        "backup": str(done.backup) if done and done.backup else None,
    }


def _kept(done: "Done") -> str:
    return f"; what it held before is kept in {done.backup.name}" if done.backup else ""


def _thought(file: Path, think: "Thought") -> "Change":
    from .clients.files import read

    return think(read(file))


def _place(client: "Client", scope: "Scope", name: str) -> Path:
    """The client's file; of several the one in which a server of this name stands."""
    from .clients.places import Machine, file_of, files_of
    from .clients.standing import servers_in

    machine = Machine.here()
    found = files_of(client, scope, machine)
    there = (file for file in found if len(found) > 1 and name in servers_in(client, file))
    return next(there, file_of(client, scope, machine))


def _list_clients(*, as_json: bool) -> None:
    from .clients.known import CLIENTS
    from .clients.places import Machine, file_of, is_here

    machine = Machine.here()
    rows = [
        {
            "id": one.name,
            "title": one.title,
            "here": is_here(one, machine),
            "user": str(file_of(one, "user", machine)),
            "project": str(file_of(one, "project", machine).relative_to(machine.folder)),
        }
        for one in CLIENTS.values()
    ]
    if as_json:
        emit_json(rows)
        return
    table(("client", "name", "here", "file", "in a project"), [[*row.values()] for row in rows])
    narrate("set one up: ska mcp install CLIENT")


def _slug(ctx: typer.Context, agent: str) -> str:
    """The slug of an agent of the team; raises NotFound with the nearest."""
    if not agent:
        return ""
    from ..team.team import team_of

    return team_of(ctx).get(agent.lstrip("@")).slug


def _scope(text: str) -> "Scope":
    from .clients.known import SCOPES

    return choice("--scope", text, SCOPES)[0]


def _named(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    if not (plain.isascii() and plain.isalnum() and len(name) <= 40):
        raise UsageError(
            f"--name: {name!r} is no name for a server",
            hint="up to 40 letters and digits, with - or _",
        )
    return name
