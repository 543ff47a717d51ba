"""The `ska` command: its table of commands, its global options and the wall that errors stop at.

Imports Typer and nothing else at the top; each command's module is loaded when it is called, and
what is heavy when it is needed. No command's own logic lives here.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NoReturn

import typer

from .lazy import Entry, LazyGroup
from .plain_parameters import made_plain
from .surroundings import Surroundings

COMMANDS = MappingProxyType(
    {
        "init": Entry("setup.init", "Set up a home: settings, agents, skills and a model"),
        "ask": Entry("talk.ask", "Ask an agent one thing and print the reply"),
        "chat": Entry("talk.chat", "Talk to an agent, line by line, without the full screen"),
        "tui": Entry("talk.full_screen", "Open the full-screen workstation"),
        "agents": Entry("team.agents", "See, make and change the agents of your team"),
        "route": Entry("team.route", "Say who would answer a message, and why; nothing is asked"),
        "skills": Entry("team.skills", "See, check and approve the skills agents can use"),
        "team": Entry(
            "teamwork.app",
            "Give agents work, alone or together; see, steer and stop what they do",
        ),
        "jobs": Entry("jobs.commands", "Have things done at their times, and see what came of it"),
        "work": Entry(
            "jobs.work", "See, pause, resume, stop and retry long work in the background"
        ),
        "summary": Entry(
            "jobs.summary", "Say what was talked about, decided, promised and left open"
        ),
        "memory": Entry("memory.commands", "Add, search, correct and audit what is remembered"),
        "templates": Entry("talk.templates", "See and find the messages you keep as templates"),
        "turns": Entry("talk.turns", "See which replies are being made, and which ended lately"),
        "cancel": Entry(
            "talk.cancel", "Stop a reply that is being made; what there is of it is kept"
        ),
        "sessions": Entry(
            "talk.sessions", "Find, read, export, branch, hand over, delete conversations"
        ),
        "inbox": Entry(
            "talk.inbox", "See what jobs and agents left for you, reply to it, deliver it again"
        ),
        "feedback": Entry(
            "talk.feedback",
            "Rate a reply; the memories it was based on gain or lose a little weight",
        ),
        "backup": Entry(
            "backups.commands", "Make backups of the home, look through them, and restore one"
        ),
        "user": Entry("memory.user", "Take everything about you along, bring it in, or erase it"),
        "models": Entry("setup.models", "See, fetch and test models"),
        "config": Entry("setup.config", "See and check the settings"),
        "questions": Entry("talk.questions", "Answer what jobs, collaborations and tools ask"),
        "approvals": Entry(
            "talk.approvals", "Answer what agents ask; see and revoke what they may always do"
        ),
        "up": Entry("host.up", "Host the home without a screen"),
        "down": Entry("host.down", "End the host of the home"),
        "serve": Entry("host.serve", "Serve the home's API over the network"),
        "service": Entry(
            "host.autostart", "Start a host with your login, by a systemd unit or launchd agent"
        ),
        "api": Entry("host.api", "Send one request to the home's API and print what it answers"),
        "keys": Entry("host.keys", "Make, see and revoke the keys of the HTTP API"),
        "webhooks": Entry("host.webhooks", "Have addresses of yours told what happens in the home"),
        "telegram": Entry("host.telegram", "Let chats in on your Telegram bot; see how it fares"),
        "mcp": Entry(
            "mcp.app", "Open the home to other programs, and their tools to your agents (MCP)"
        ),
        "acp": Entry("talk.acp", "Talk to your agents inside an editor (ACP)"),
        "logs": Entry("host.logs", "Show what the home's host has to say"),
        "usage": Entry("host.usage", "Show what models consumed and cost, and what may be spent"),
        "status": Entry("host.status", "Say in a few lines how the home is doing"),
        "doctor": Entry("setup.doctor", "Find what is wrong and say what mends it"),
        "completion": Entry(
            "setup.completion",
            "Print what a shell needs to complete commands, agents, sessions, models and ids",
        ),
        "diagnostics": Entry(
            "setup.diagnostics",
            "Gather what somebody who helps you needs to see, in one zip file",
        ),
        "migrate": Entry(
            "setup.migrate", "See the schema of the ledger, and what a migration does"
        ),
    }
)


class Commands(LazyGroup):
    """`ska` itself."""

    entries = COMMANDS


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from skill_agent import __version__

        typer.echo(f"skill-agent {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def ska(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            help="Home to use instead of SKILL_AGENT_HOME or the default one.", metavar="PATH"
        ),
    ] = None,
    api: Annotated[
        str,
        typer.Option(
            help="Work on a home served there; its key comes from SKILL_AGENT_API_KEY.",
            envvar="SKILL_AGENT_API",
            metavar="URL",
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A terminal workstation for a team of named AI agents that never forget.

    Without a command it opens the full-screen workstation.

    \b
    Examples:
      ska init                            set up, fetch a model
      ska                                 open the workstation
      ska ask @kyra when do I deploy      ask one thing
      git diff | ska ask -a luke review   ask about what another command prints
      ska memory search "deployment day"  look into what is remembered
      ska up                              host the home in the background; all else gets faster

    \b
    Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 model unavailable or
    its money spent, 130 interrupted, 143 and 129 told to end, 141 nobody reads.
    Data goes to stdout, narration to stderr.
    """
    around = ctx.find_object(Surroundings) or Surroundings()
    ctx.obj = _placed(ctx, around, home, api)
    if ctx.invoked_subcommand is None:
        _open_without_command(ctx, ctx.obj)


def _placed(ctx: typer.Context, around: Surroundings, home: str | None, api: str) -> Surroundings:
    """Which home: the one named by an option, else the one the environment names."""
    told = ctx.get_parameter_source("api")
    if api and home and told is not None and told.name == "COMMANDLINE":
        raise typer.BadParameter("--home and --api exclude each other", ctx=ctx)
    if home:
        return replace(around, path=Path(home))
    if not api:
        return around
    from .opening.remote_home import checked, is_in_clear, key, own_files

    address = checked(api)
    if key() and is_in_clear(address):
        from .output import narrate

        narrate(f"warning: the key goes to {address} unencrypted; use https where you can")
    return replace(around, api=address, path=own_files(address))


def _open_without_command(ctx: typer.Context, around: Surroundings) -> None:
    """The workstation where there is a screen; otherwise a short help, never a hang."""
    if around.interactive and sys.stdout.isatty():
        from .talk.full_screen import open_workstation

        open_workstation(around)
        return
    typer.echo(ctx.get_help(), err=True)
    typer.echo("\nThe workstation needs a terminal; in a script use `ska ask`.", err=True)
    raise typer.Exit(2)


def main(around: Surroundings | None = None) -> NoReturn:
    """The console script."""
    from .ending import TOLD, end_here, heeding, leave
    from .streams import mend_streams

    mend_streams()
    with heeding(end_here, signals=TOLD):
        code = run(sys.argv[1:], around)
    leave(code)


def run(arguments: Sequence[str], around: Surroundings | None = None) -> int:
    """Runs one command line and returns its exit code; every error ends here."""
    around = around or Surroundings()
    code = _walled(partial(_run, arguments, around), around)
    flushed = _walled(_flushed, around)
    return code or flushed


def _run(arguments: Sequence[str], around: Surroundings) -> int:
    command = made_plain(typer.main.get_command(app))
    code = command.main(args=list(arguments), prog_name="ska", standalone_mode=False, obj=around)
    return code if isinstance(code, int) else 0


def _flushed() -> int:
    sys.stdout.flush()
    return 0


def _walled(work: Callable[[], int], around: Surroundings) -> int:
    """The outer wall of the command line: the exit code of the work, or of the error in it."""
    try:
        return work()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except BaseException as error:
        from .error_report import report

        return report(error, around)
